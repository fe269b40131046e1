import {
  type Exchange,
  type Handler,
  headers,
  type Layer,
  type ObjectRef,
  ProxyError,
  type RevisionKey,
  revisionKey,
} from "@rouse/shared";
import type { ActivatorContext } from "../accept/context.ts";
import { identify } from "./identify.ts";
import type { RevisionEntry } from "./revision-entry.ts";

/** Every revision there is, by key. */
export interface RevisionDirectory {
  get(key: RevisionKey): RevisionEntry | undefined;
}

/** Finds out which revision a request is for, and answers 404 where there is none. A-14..A-19. */
export class ResolveRevision implements Layer<ActivatorContext> {
  readonly #directory: RevisionDirectory;
  readonly #clusterDomain: string;

  constructor(directory: RevisionDirectory, clusterDomain: string) {
    this.#directory = directory;
    this.#clusterDomain = clusterDomain;
  }

  handle(exchange: Exchange<ActivatorContext>, next: Handler<ActivatorContext>): void {
    const { request } = exchange;
    const ref = identify(
      {
        revision: request.get(headers.revision) ?? "",
        namespace: request.get(headers.namespace) ?? "",
        host: request.host,
      },
      this.#clusterDomain,
    );
    const entry = this.#directory.get(revisionKey(ref));
    if (entry === undefined) {
      exchange.fail(unknownRevision(ref));
      return;
    }
    exchange.context.revision = entry;
    next(exchange);
  }
}

export function unknownRevision(ref: Pick<ObjectRef, "name">): ProxyError {
  const text = `Error getting active endpoint: revision.serving.knative.dev ${JSON.stringify(ref.name)} not found`;
  return new ProxyError("unknown-revision", text);
}
