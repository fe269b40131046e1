import {
  type ObjectKey,
  type ObjectStore,
  objectKey,
  PodKind,
  type StoredObject,
  type WallMs,
} from "@rouse/shared";
import { containerState } from "../api-server/wire/container-state.ts";
import type { LogLine, PodOutput } from "../api-server/wire/pod-logs.ts";

export interface PodOutputHubDeps {
  readonly store: ObjectStore;
  readonly wall: () => WallMs;
  /** What is kept of a container's output. */
  readonly kept: (pod: ObjectKey, container: string) => readonly LogLine[] | undefined;
  /** What is kept of the last run that has ended. */
  readonly keptBefore: (pod: ObjectKey, container: string) => readonly LogLine[] | undefined;
}

interface Follower {
  readonly container: string;
  line(line: LogLine): void;
  end(): void;
}

/** Passes what pods write on to whoever follows it, until the container has ended or the pod is gone. P-87 */
export class PodOutputHub implements PodOutput {
  readonly #deps: PodOutputHubDeps;
  readonly #followers = new Map<ObjectKey, Set<Follower>>();

  constructor(deps: PodOutputHubDeps) {
    this.#deps = deps;
  }

  /** One line a container has written just now. */
  wrote(pod: ObjectKey, container: string, text: string): void {
    for (const follower of this.#followers.get(pod) ?? []) {
      if (follower.container === container) follower.line({ text, at: this.#deps.wall() });
    }
  }

  lines(pod: { namespace: string; name: string }, container: string): readonly LogLine[] | undefined {
    return this.#deps.kept(objectKey(pod), container);
  }

  previous(pod: { namespace: string; name: string }, container: string): readonly LogLine[] | undefined {
    return this.#deps.keptBefore(objectKey(pod), container);
  }

  follow(
    pod: { namespace: string; name: string },
    container: string,
    sink: { line(line: LogLine): void; end(): void },
  ): Disposable {
    const key = objectKey(pod);
    const follower: Follower = { container, line: (line) => sink.line(line), end: () => sink.end() };
    const followers = this.#followers.get(key) ?? new Set<Follower>();
    this.#followers.set(key, followers.add(follower));
    const isOver = (object: StoredObject | undefined): boolean =>
      object === undefined || containerState(object, container) === "terminated";
    const observation = this.#deps.store.observe((kind, { type, object }) => {
      if (kind.plural !== PodKind.plural || objectKey(object.metadata) !== key) return;
      if (type === "DELETED" || isOver(object)) follower.end();
    });
    if (isOver(this.#deps.store.find(PodKind, pod))) follower.end();
    return {
      [Symbol.dispose]: () => {
        observation[Symbol.dispose]();
        if (followers.delete(follower) && followers.size === 0) this.#followers.delete(key);
      },
    };
  }
}
