import {
  type DeleteOptions,
  type Kind,
  type KubeClient,
  KubeError,
  type KubeObject,
  type ListQuery,
  type ObjectList,
  type ObjectRef,
  type Patch,
  type Stored,
  type Subresource,
  type WatchSink,
} from "@rouse/shared";

/** `verb kind name`, as in `create Service hello-private`. */
export type Write = string;

/** A client that keeps what is written through it and refuses what it is told to. */
export class RefusingClient implements KubeClient {
  /** Writes to be answered with 500. */
  readonly refused = new Set<Write>();
  readonly writes: Write[] = [];
  /** By kind: lists that are answered only then. */
  readonly held = new Map<string, Promise<void>>();
  readonly #inner: KubeClient;
  readonly #chance: () => boolean;

  /** `chance`: whether a write fails, half the time after it took effect, as when an answer is lost. */
  constructor(inner: KubeClient, chance: () => boolean = () => false) {
    this.#inner = inner;
    this.#chance = chance;
  }

  async get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<Stored<T>> {
    return await this.#inner.get(kind, ref);
  }

  async list<T extends KubeObject>(kind: Kind<T>, query?: ListQuery): Promise<ObjectList<T>> {
    await this.held.get(kind.kind);
    return await this.#inner.list(kind, query);
  }

  watch<T extends KubeObject>(
    kind: Kind<T>,
    query: ListQuery & { readonly resourceVersion: string },
    sink: WatchSink<T>,
  ): Disposable {
    return this.#inner.watch(kind, query, sink);
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>> {
    this.#check("create", kind, object.metadata.name);
    return this.#answer(await this.#inner.create(kind, object));
  }

  async update<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>> {
    this.#check("update", kind, object.metadata.name);
    return this.#answer(await this.#inner.update(kind, object));
  }

  async updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>> {
    this.#check("status", kind, object.metadata.name);
    return this.#answer(await this.#inner.updateStatus(kind, object));
  }

  async patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    patch: Patch,
    subresource?: Subresource,
  ): Promise<Stored<T>> {
    this.#check("patch", kind, ref.name);
    return this.#answer(await this.#inner.patch(kind, ref, patch, subresource));
  }

  async delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options?: DeleteOptions): Promise<void> {
    this.#check("delete", kind, ref.name);
    await this.#inner.delete(kind, ref, options);
  }

  /** The write took effect; its answer may still get lost. */
  #answer<T>(answer: T): T {
    if (this.#chance()) throw new KubeError("Timeout", "the answer was lost");
    return answer;
  }

  #check(verb: string, kind: Pick<Kind<KubeObject>, "kind">, name: string): void {
    if (kind.kind === "Event") return;
    const write = `${verb} ${kind.kind} ${name}`;
    if (this.refused.has(write) || this.#chance()) throw new KubeError("InternalError", `${write} refused`);
    this.writes.push(write);
  }
}
