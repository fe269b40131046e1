import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { RealClock, RealRandom } from "@rouse/shared";
import { build } from "../build/bundle.ts";
import { at } from "../deploy/manifest.ts";
import { ask, ContainedProcess } from "./contained-process.ts";
import { type ImageStage, imageStages } from "./dockerfile.ts";
import { writeImageTree } from "./image-tree.ts";

const root = resolve(import.meta.dirname, "../..");
const stages = imageStages(readFileSync(join(root, "deploy/images/Dockerfile"), "utf8"));
const clock = new RealClock();
const random = new RealRandom();
const TRIES_MAX = 200;
const TRY_MS = 100;

/** Where a pod finds its account's token. */
export const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Who asks probes. */
export const KUBELET = { "User-Agent": "kube-probe/1.35" };

/** The files of an image in a folder that is removed with `owned`, and what the Dockerfile says of it. */
export async function imageTree(
  program: string,
  owned: AsyncDisposableStack,
): Promise<{ readonly tree: string; readonly stage: ImageStage }> {
  await build(root, program, { ifStale: true });
  const tree = mkdtempSync(join(tmpdir(), "rouse-image-"));
  owned.defer(() => rmSync(tree, { recursive: true, force: true }));
  chmodSync(tree, 0o755);
  writeImageTree(root, program, tree);
  const stage = stages.find(({ name }) => name === program);
  if (stage === undefined) throw new Error(`no stage ${program}`);
  return { tree, stage };
}

/**
 * Runs an image as the Dockerfile says, until `owned` is disposed.
 * @param options.account folder with `ca.crt` and `token` below the path of a pod's account
 */
export async function startImage(
  program: string,
  options: {
    readonly environment: Readonly<Record<string, string>>;
    readonly account?: string;
    readonly user?: number;
  },
  owned: AsyncDisposableStack,
): Promise<ContainedProcess> {
  const { environment, account, user } = options;
  const { tree, stage } = await imageTree(program, owned);
  if (account !== undefined) mkdirSync(join(tree, ACCOUNT), { recursive: true });
  return owned.use(
    new ContainedProcess({
      tree,
      command: stage.entrypoint,
      environment: { ...stage.environment, ...environment },
      ...(user === undefined ? {} : { user }),
      ...(account === undefined ? {} : { mounts: { sources: account, names: [ACCOUNT] } }),
    }),
  );
}

/** Loopback addresses of their own let every program have the contract's ports. */
export function ownIp(): string {
  return `127.${random.integer(2, 254)}.${random.integer(1, 254)}.${random.integer(1, 254)}`;
}

/** Asks until the answer is 200, as a kubelet would. @throws with the program's output after 20 s */
export async function readyAnswer(
  started: ContainedProcess,
  where: { readonly ip: string; readonly port: number; readonly path?: string },
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const answer = await ask(where, headers);
    if (answer?.status === 200) return answer.body;
    await new Promise<void>((done) => clock.after(TRY_MS, done));
  }
  throw new Error(`not ready: ${started.output}`);
}

/** Asks what a kubelet would; a knock at the port is answered by whoever answers requests there. */
export async function passesProbe(started: ContainedProcess, ip: string, probe: unknown): Promise<void> {
  const kind = ["httpGet", "tcpSocket"].find((each) => at(probe, each) !== undefined) ?? "";
  const path = String(at(probe, kind, "path") ?? "/");
  await readyAnswer(started, { ip, port: Number(at(probe, kind, "port")), path }, KUBELET);
}
