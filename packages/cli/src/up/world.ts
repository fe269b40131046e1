import {
  type Clock,
  findCondition,
  Informer,
  type KnativeService,
  KnativeServiceKind,
  type KubeClient,
  type KubeObject,
  labels,
  objectKey,
  type Pod,
  PodKind,
  type Random,
  type Revision,
  type RevisionKey,
  RevisionKind,
  revisionKey,
  type ServerlessService,
  ServerlessServiceKind,
  type Stored,
} from "@rouse/shared";
import { conditionTrouble, type Load, revisionView } from "./revision-view.ts";
import { StatusLog } from "./status-line.ts";

/** Changes closer together than this make one line. It also keeps printing off the way of a waking request. */
const GATHER_MS = 10;
/** A line that shows waiting requests is looked at again after this, to say when none waits any more. */
const LOOK_AGAIN_MS = 250;

export interface WorldDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Requests of a revision at this moment. */
  readonly load: (revision: RevisionKey) => Load;
  readonly print: (line: string) => void;
}

/** Follows services, revisions and pods, and prints one line per change. */
export class World implements Disposable {
  readonly #deps: WorldDeps;
  readonly #services: Informer<KnativeService>;
  readonly #revisions: Informer<Revision>;
  readonly #pods: Informer<Pod>;
  readonly #sks: Informer<ServerlessService>;
  readonly #log = new StatusLog();
  /** What was last said of each service. */
  readonly #said = new Map<string, string>();
  /** Revisions that are looked at when their timer fires. */
  readonly #due = new Map<RevisionKey, { readonly atMs: number; readonly timer: Disposable }>();

  private constructor(deps: WorldDeps) {
    this.#deps = deps;
    this.#services = new Informer(deps, KnativeServiceKind).handle({
      changed: (service) => this.#onService(service),
      removed: ({ metadata }) => {
        if (this.#said.delete(displayName(metadata))) deps.print(`${displayName(metadata)}  service deleted`);
      },
    });
    const look = (object: Stored<KubeObject>): void => this.#lookAt(object);
    const handler = { changed: look, removed: look };
    this.#revisions = new Informer(deps, RevisionKind).handle(handler);
    this.#pods = new Informer(deps, PodKind).indexBy(labels.revision).handle(handler);
    this.#sks = new Informer(deps, ServerlessServiceKind).handle(handler);
  }

  static async start(deps: WorldDeps): Promise<World> {
    const world = new World(deps);
    await Promise.all(world.#informers().map((informer) => informer.start()));
    return world;
  }

  [Symbol.dispose](): void {
    for (const informer of this.#informers()) informer[Symbol.dispose]();
    for (const { timer } of this.#due.values()) timer[Symbol.dispose]();
    this.#due.clear();
  }

  #informers(): readonly (Disposable & { start(): Promise<void> })[] {
    return [this.#pods, this.#sks, this.#revisions, this.#services];
  }

  #onService(service: Stored<KnativeService>): void {
    const name = displayName(service.metadata);
    const ready = findCondition(service.status?.conditions, "Ready");
    const url = service.status?.url;
    const trouble = conditionTrouble(ready);
    const news = ready?.status === "True" ? (url ?? "") : (trouble ?? "");
    if (news === "" || this.#said.get(name) === news) return;
    this.#said.set(name, news);
    this.#deps.print(trouble === undefined ? `${name}  ready: curl ${news}` : `${name}  not ready: ${news}`);
  }

  /** An object of a revision carries its name as a label; the revision itself is its own. */
  #lookAt({ kind, metadata }: Stored<KubeObject>): void {
    const name = kind === RevisionKind.kind ? metadata.name : metadata.labels?.[labels.revision];
    if (name !== undefined) this.#lookSoon(revisionKey({ namespace: metadata.namespace, name }), GATHER_MS);
  }

  #lookSoon(key: RevisionKey, delayMs: number): void {
    const atMs = this.#deps.clock.now() + delayMs;
    const planned = this.#due.get(key);
    if (planned !== undefined && planned.atMs <= atMs) return;
    planned?.timer[Symbol.dispose]();
    const timer = this.#deps.clock.after(delayMs, () => {
      this.#due.delete(key);
      this.#look(key);
    });
    this.#due.set(key, { atMs, timer });
  }

  #look(key: RevisionKey): void {
    const [namespace = "", name = ""] = key.split("/");
    const revision = this.#revisions.get(objectKey({ namespace, name }));
    const shown = displayName({ namespace, name });
    if (revision === undefined) {
      const line = this.#log.gone(shown);
      if (line !== undefined) this.#deps.print(line);
      return;
    }
    const pods = this.#pods
      .byLabel(labels.revision, name)
      .filter((pod) => pod.metadata.namespace === namespace);
    const sks = this.#sks.get(objectKey({ namespace, name }));
    const view = revisionView(revision, { pods, sks, load: this.#deps.load(key) });
    const line = this.#log.next({ ...view, name: shown });
    if (line !== undefined) this.#deps.print(line);
    if (view.held > 0) this.#lookSoon(key, LOOK_AGAIN_MS);
  }
}

/** The default namespace goes without saying. */
function displayName({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return namespace === "default" ? name : `${namespace}/${name}`;
}
