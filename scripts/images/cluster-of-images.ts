import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { serveApi } from "@rouse/embedded/testing";
import { type KubeObject, type Stored, SYSTEM_NAMESPACE } from "@rouse/shared";
import { at, listAt, type Manifest } from "../deploy/manifest.ts";
import { manifestsOf } from "../deploy/render.ts";
import type { ContainedProcess } from "./contained-process.ts";
import { ACCOUNT, ownIp, startImage } from "./running-image.ts";

const folder = resolve(import.meta.dirname, "../../deploy/kubernetes");

/** Objects of one file of the manifests. */
export function shipped(file: string): readonly Manifest[] {
  return manifestsOf(readFileSync(join(folder, file), "utf8"));
}

export interface RunningPod {
  readonly ip: string;
  /** What the manifests say of its container. */
  readonly container: unknown;
  readonly process: ContainedProcess;
}

type Store = Awaited<ReturnType<typeof serveApi>>["store"];

/**
 * An API with what the manifests put into it, and pods of their Deployments, run from the images' files. What nobody
 * here does is what takes nodes: no Deployment gets pods, no pod an address.
 */
export class ClusterOfImages implements AsyncDisposable {
  readonly #owned: AsyncDisposableStack;
  readonly #cluster: Readonly<Record<string, string>>;
  readonly #account: string;
  readonly store: Store;

  private constructor(
    owned: AsyncDisposableStack,
    parts: { readonly store: Store; readonly port: number; readonly account: string },
  ) {
    this.#owned = owned;
    this.store = parts.store;
    this.#account = parts.account;
    this.#cluster = {
      KUBERNETES_SERVICE_HOST: "127.0.0.1",
      KUBERNETES_SERVICE_PORT: String(parts.port),
    };
  }

  /** @param files of the manifests whose objects are in it from the beginning */
  static async start(files: readonly string[]): Promise<ClusterOfImages> {
    await using owned = new AsyncDisposableStack();
    const { store, token, ca, port } = owned.use(await serveApi());
    for (const object of files.flatMap(shipped)) {
      const kind = store.kinds.of(object);
      if (kind === undefined) throw new Error(`nobody stores ${object.apiVersion} ${object.kind}`);
      store.create(kind, object);
    }
    const account = mkdtempSync(join(tmpdir(), "rouse-account-"));
    owned.defer(() => rmSync(account, { recursive: true, force: true }));
    chmodSync(account, 0o755);
    mkdirSync(join(account, ACCOUNT), { recursive: true });
    writeFileSync(join(account, ACCOUNT, "token"), token);
    writeFileSync(join(account, ACCOUNT, "ca.crt"), ca);
    return new ClusterOfImages(owned.move(), { store, port, account });
  }

  /** Runs one pod of the program's Deployment. It listens on its own address alone. */
  async pod(program: string, further: Readonly<Record<string, string>> = {}): Promise<RunningPod> {
    const ip = ownIp();
    const deployment = shipped(`${program}.yaml`).find(({ kind }) => kind === "Deployment");
    const container = at(deployment, "spec", "template", "spec", "containers", 0);
    const environment = {
      ...this.#cluster,
      ...environmentOf(container, ip),
      ROUSE_LISTEN_IP: ip,
      METRICS_PROMETHEUS_HOST: ip,
      ...further,
    };
    const options = { environment, account: this.#account };
    return { ip, container, process: await startImage(program, options, this.#owned) };
  }

  /** Resolves with the first object of which `found` says so, now or after a change. */
  until(found: (object: Stored<KubeObject>) => boolean): Promise<Stored<KubeObject>> {
    return new Promise((resolve) => {
      const look = (object: Stored<KubeObject>): void => {
        if (!found(object)) return;
        listening[Symbol.dispose]();
        resolve(object);
      };
      const listening = this.store.observe((_kind, { object }) => look(object));
      for (const kind of this.store.kinds) for (const object of this.store.list(kind)) look(object);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }
}

/** Variables of a container, with what a kubelet would put into them. */
function environmentOf(container: unknown, ip: string): Readonly<Record<string, string>> {
  const fields: Readonly<Record<string, string>> = {
    "metadata.name": `pod-${ip}`,
    "metadata.namespace": SYSTEM_NAMESPACE,
    "status.podIP": ip,
  };
  return Object.fromEntries(
    listAt(container, "env").map((variable) => {
      const field = fields[String(at(variable, "valueFrom", "fieldRef", "fieldPath"))];
      return [String(at(variable, "name")), String(at(variable, "value") ?? field ?? "")];
    }),
  );
}
