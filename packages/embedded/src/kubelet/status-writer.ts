import { isDeepStrictEqual } from "node:util";
import {
  type Clock,
  isKubeError,
  type KubeClient,
  type Logger,
  type Pod,
  PodKind,
  type PodStatus,
  rouse,
  type Stored,
} from "@rouse/shared";

/** Wait before a failed write is tried again. */
const RETRY_MS = 500;

export interface StatusWriterDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Writes one pod's status, one write at a time and always the newest: what changes during a write is written after
 * it, states in between are skipped. A pod that is gone is not an error.
 */
export class StatusWriter {
  readonly #deps: StatusWriterDeps;
  readonly #pod: Stored<Pod>;
  #wanted: PodStatus | undefined;
  #written: PodStatus | undefined;
  #annotations: Readonly<Record<string, string>> | undefined;
  #isWriting = false;
  #isClosed = false;
  #retry: Disposable | undefined;

  constructor(deps: StatusWriterDeps, pod: Stored<Pod>) {
    this.#deps = deps;
    this.#pod = pod;
    this.#written = pod.status;
  }

  /** What the status is, or is about to be. */
  get latest(): PodStatus | undefined {
    return this.#wanted ?? this.#written;
  }

  write(status: PodStatus): void {
    this.#wanted = status;
    this.#go();
  }

  /** Puts the pod's ports among its annotations, before any status that is asked for afterwards. */
  annotate(ports: { readonly userPort: number; readonly queuePort: number | undefined }): void {
    this.#annotations = {
      [rouse.userPort]: String(ports.userPort),
      ...(ports.queuePort === undefined ? {} : { [rouse.queuePort]: String(ports.queuePort) }),
    };
    this.#go();
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.[Symbol.dispose]();
  }

  #go(): void {
    if (this.#isWriting || this.#isClosed) return;
    this.#isWriting = true;
    void this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    try {
      while (!this.#isClosed) {
        const annotations = this.#annotations;
        const wanted = this.#wanted;
        if (annotations !== undefined) {
          await this.#patch(annotations);
          if (this.#annotations === annotations) this.#annotations = undefined;
        } else if (wanted !== undefined) {
          if (!isDeepStrictEqual(wanted, this.#written)) await this.#update(wanted);
          this.#written = wanted;
          if (this.#wanted === wanted) this.#wanted = undefined;
        } else {
          this.#isWriting = false; // here, not after this promise: what comes in between would be forgotten
          return;
        }
      }
    } catch (error) {
      this.#isWriting = false;
      if (isKubeError(error, "NotFound") || this.#isClosed) return this.close();
      const { namespace, name } = this.#pod.metadata;
      this.#deps.log.warn("pod status not written", { pod: `${namespace}/${name}`, error: String(error) });
      this.#retry = this.#deps.clock.after(RETRY_MS, () => this.#go());
    }
  }

  async #patch(annotations: Readonly<Record<string, string>>): Promise<void> {
    const { namespace, name } = this.#pod.metadata;
    const body = { metadata: { annotations } };
    await this.#deps.client.patch(PodKind, { namespace, name }, { kind: "merge", body });
  }

  async #update(status: PodStatus): Promise<void> {
    const { apiVersion, kind, metadata, spec } = this.#pod;
    const { namespace, name } = metadata;
    await this.#deps.client.updateStatus(PodKind, {
      apiVersion,
      kind,
      metadata: { namespace, name },
      spec,
      status,
    });
  }
}
