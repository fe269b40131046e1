import {
  type Clock,
  type Kind,
  KubeError,
  type KubeObject,
  type ListQuery,
  type ObjectStore,
  type Random,
  type StoredObject,
  StoreWatch,
} from "@rouse/shared";
import { bookmarkTable, partialOf, type TableOptions, tableOf } from "../table/table.ts";
import type { AnswerStream } from "./answer.ts";
import { statusOf } from "./answer.ts";
import type { ApiResource } from "./api-resource.ts";
import type { Form } from "./negotiate.ts";
import type { Presenter } from "./present.ts";
import { isTrue, type ReadStart, readStart } from "./request-options.ts";

/** P-114. */
const TIMEOUT_MS_MIN = 30 * 60_000;
const TIMEOUT_MS_MAX = 60 * 60_000;
/** P-116. */
const BOOKMARK_MS = 60_000;
const LAST_BOOKMARK_MS = 2_000;
/** Not taken by the client yet: beyond this the watch ends, and the client resumes where it was. P-119 */
const PENDING_BYTES_MAX = 8 * 1024 * 1024;

export interface WatchDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly presenter: Presenter;
}

export interface WatchRequest {
  readonly resource: ApiResource;
  readonly query: ListQuery;
  readonly search: URLSearchParams;
  readonly form: Form;
  readonly table: TableOptions;
}

/** What a request for a watch asks for. @throws KubeError `Invalid`, `BadRequest` before anything is answered */
export function readWatch(search: URLSearchParams): ReadStart {
  return readStart(search, "watch");
}

/** One watch: the events of a resource as lines of JSON, until the client leaves, time is up or it falls behind. */
export class WatchStream implements Disposable {
  readonly #deps: WatchDeps;
  readonly #request: WatchRequest;
  readonly #stream: AnswerStream;
  readonly #owned = new DisposableStack();
  #watch: Disposable | undefined;
  #hasDefinitions = true;
  #isEnded = false;
  /** Newest version the client knows of, or the store's own once it has been told everything. */
  #version: string;

  constructor(deps: WatchDeps, request: WatchRequest, stream: AnswerStream) {
    this.#deps = deps;
    this.#request = request;
    this.#stream = stream;
    this.#version = deps.store.resourceVersion;
  }

  start(): this {
    const { search } = this.#request;
    const start = readWatch(search);
    const hasBookmarks = isTrue(search.get("allowWatchBookmarks"));
    const isFromNow = start.version === undefined || start.version === "0";
    const sendsInitial = start.sendsInitialEvents ?? (isFromNow && start.match === undefined);
    if (sendsInitial) {
      this.#sendInitial();
      if (hasBookmarks && !this.#isEnded) this.#bookmark({ isEndOfInitial: true });
    }
    if (!this.#isEnded)
      this.#follow(sendsInitial || start.version === undefined || isFromNow ? this.#version : start.version);
    if (!this.#isEnded) this.#startTimers(hasBookmarks);
    return this;
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  #sendInitial(): void {
    const { store } = this.#deps;
    const kind: Kind<KubeObject> = this.#request.resource.storedAs;
    for (const object of store.list(kind, this.#request.query)) this.#event("ADDED", object);
  }

  #follow(version: string): void {
    const { store, clock } = this.#deps;
    const { resource, query } = this.#request;
    // A version still to come: everything up to it is known to the client.
    const wanted = Number(version);
    this.#watch = new StoreWatch(
      { store, clock },
      resource.storedAs,
      { ...query, resourceVersion: version },
      {
        event: (type, object) => {
          if (Number(object.metadata.resourceVersion) > wanted) this.#event(type, object);
        },
        closed: (reason) => {
          if (reason !== undefined && !this.#isEnded) this.#error(reason);
          this.#end();
        },
      },
    );
    if (this.#isEnded) this.#watch[Symbol.dispose]();
  }

  #startTimers(hasBookmarks: boolean): void {
    const { clock, random } = this.#deps;
    const asked = Number(this.#request.search.get("timeoutSeconds") ?? 0);
    const timeoutMs = asked > 0 ? asked * 1_000 : random.integer(TIMEOUT_MS_MIN, TIMEOUT_MS_MAX);
    this.#owned.use(clock.after(timeoutMs, () => this.#end()));
    if (!hasBookmarks) return;
    const every = new DisposableStack();
    this.#owned.use(every);
    const again = (): void => {
      every.use(
        clock.after(BOOKMARK_MS, () => {
          this.#bookmark();
          again();
        }),
      );
    };
    again();
    if (timeoutMs > LAST_BOOKMARK_MS) {
      this.#owned.use(clock.after(timeoutMs - LAST_BOOKMARK_MS, () => this.#bookmark()));
    }
  }

  #event(type: "ADDED" | "MODIFIED" | "DELETED", stored: StoredObject): void {
    const { resource, form, table } = this.#request;
    const object = this.#deps.presenter.object(resource, stored);
    if (form.kind === "table") {
      const metadata = { resourceVersion: stored.metadata.resourceVersion };
      const hasDefinitions = this.#hasDefinitions;
      this.#hasDefinitions = false;
      const now = this.#deps.clock.wall();
      this.#send(
        type,
        JSON.stringify(tableOf(resource, [object], { ...table, now, metadata, hasDefinitions })),
      );
      return;
    }
    const shown = form.kind === "partial" ? partialOf(object) : object;
    this.#send(type, this.#deps.presenter.text(shown));
  }

  #bookmark({ isEndOfInitial = false }: { readonly isEndOfInitial?: boolean } = {}): void {
    const { resource, form, table } = this.#request;
    const annotations = isEndOfInitial ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
    const metadata = { resourceVersion: this.#deps.store.resourceVersion, ...annotations };
    const { group, version, kind } = resource.kind;
    const head = { kind, apiVersion: group === "" ? version : `${group}/${version}` };
    if (form.kind === "table") {
      const hasDefinitions = this.#hasDefinitions;
      this.#hasDefinitions = false;
      this.#send("BOOKMARK", JSON.stringify(bookmarkTable(resource, metadata, { ...table, hasDefinitions })));
      return;
    }
    const partial = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" };
    this.#send("BOOKMARK", JSON.stringify({ ...(form.kind === "partial" ? partial : head), metadata }));
  }

  #error(reason: KubeError): void {
    const message =
      reason.reason === "Expired"
        ? `${reason.message} (${this.#deps.store.resourceVersion})`
        : reason.message;
    this.#send("ERROR", JSON.stringify(statusOf(new KubeError(reason.reason, message))));
  }

  #send(type: string, object: string): void {
    if (this.#isEnded) return;
    this.#stream.write(`{"type":"${type}","object":${object}}\n`);
    if (this.#stream.pendingBytes > PENDING_BYTES_MAX) this.#end();
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#owned[Symbol.dispose]();
    this.#watch?.[Symbol.dispose]();
    this.#stream.end();
  }
}
