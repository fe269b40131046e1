import type { ClientRequest, IncomingMessage } from "node:http";
import { StringDecoder } from "node:string_decoder";
import type { Clock } from "../../clock/clock.ts";
import type { Random } from "../../random.ts";
import { KubeError } from "../client.ts";
import { statusError } from "./status-error.ts";

/** The API ends a watch after this, and we begin the next one where it ended. */
const TIMEOUT_SECONDS_MIN = 300;
const TIMEOUT_SECONDS_MAX = 600;
/** Longer than that no watch lives: the connection is dead. */
const SLACK_MS = 30_000;
/** One event; objects are at most 3 MiB. */
const LINE_CHARACTERS_MAX = 8 * 1_024 * 1_024;
/** A watch that ends sooner is not begun anew at once. */
const RESTART_MS = 1_000;

export interface HttpWatchDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Opens one watch; `further` are its query parameters. */
  readonly open: (further: Readonly<Record<string, string>>) => ClientRequest;
}

/** One line of the stream. */
export interface RawEvent {
  readonly type: string;
  readonly object: unknown;
}

export interface HttpWatchSink {
  event(event: RawEvent): void;
  closed(reason: KubeError | undefined): void;
}

/** Follows one watch over as many requests as it takes, from where the one before ended. Bookmarks are asked for. */
export class HttpWatch implements Disposable {
  readonly #deps: HttpWatchDeps;
  readonly #sink: HttpWatchSink;
  #resourceVersion: string;
  #call: ClientRequest | undefined;
  #timer: Disposable | undefined;
  #isOver = false;

  constructor(deps: HttpWatchDeps, resourceVersion: string, sink: HttpWatchSink) {
    this.#deps = deps;
    this.#sink = sink;
    this.#resourceVersion = resourceVersion;
    this.#begin();
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#finish();
    this.#sink.closed(undefined);
  }

  #begin(): void {
    const { clock, random, open } = this.#deps;
    const timeoutSeconds = random.integer(TIMEOUT_SECONDS_MIN, TIMEOUT_SECONDS_MAX);
    const begunAt = clock.now();
    const call = open({
      watch: "1",
      allowWatchBookmarks: "true",
      ...(this.#resourceVersion === "" ? {} : { resourceVersion: this.#resourceVersion }),
      timeoutSeconds: String(timeoutSeconds),
    });
    this.#call = call;
    this.#timer = clock.after(timeoutSeconds * 1_000 + SLACK_MS, () => call.destroy());
    call.on("error", (error) => this.#fail(call, new KubeError("ServiceUnavailable", error.message)));
    call.on("response", (response) => {
      response.on("error", (error) => this.#fail(call, new KubeError("ServiceUnavailable", error.message)));
      if (response.statusCode !== 200) {
        void this.#refused(call, response);
        return;
      }
      this.#read(call, response);
      response.on("end", () => {
        if (this.#isOver || this.#call !== call) return;
        this.#timer?.[Symbol.dispose]();
        const restMs = begunAt + RESTART_MS - clock.now();
        if (restMs <= 0) this.#begin();
        else this.#timer = clock.after(restMs, () => this.#begin());
      });
    });
    call.end();
  }

  #read(call: ClientRequest, response: IncomingMessage): void {
    const decoder = new StringDecoder("utf8");
    let rest = "";
    response.on("data", (chunk: Buffer) => {
      rest += decoder.write(chunk);
      let from = 0;
      for (let end = rest.indexOf("\n"); end !== -1; end = rest.indexOf("\n", from)) {
        const line = rest.slice(from, end);
        from = end + 1;
        if (line.trim() !== "" && !this.#isOver && this.#call === call) this.#take(call, line);
      }
      rest = rest.slice(from);
      if (rest.length > LINE_CHARACTERS_MAX) {
        this.#fail(call, new KubeError("InternalError", "an event of the watch is too long"));
      }
    });
    response.on("end", () => {
      if (rest.trim() === "") return;
      this.#fail(call, new KubeError("ServiceUnavailable", "the watch ended in the middle of an event"));
    });
  }

  #take(call: ClientRequest, line: string): void {
    const event = parseEvent(line);
    if (event === undefined) {
      this.#fail(call, new KubeError("InternalError", "the watch sent what is no event"));
      return;
    }
    if (event.type === "ERROR") {
      this.#fail(call, statusError(500, event.object));
      return;
    }
    this.#resourceVersion = versionOf(event.object) ?? this.#resourceVersion;
    this.#sink.event(event);
  }

  async #refused(call: ClientRequest, response: IncomingMessage): Promise<void> {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      if (body.length < LINE_CHARACTERS_MAX) body += chunk;
    });
    await new Promise<void>((resolve) => response.on("close", resolve));
    let status: unknown;
    try {
      status = JSON.parse(body);
    } catch {
      status = undefined;
    }
    this.#fail(call, statusError(response.statusCode ?? 500, status));
  }

  #fail(call: ClientRequest, reason: KubeError): void {
    if (this.#isOver || this.#call !== call) return;
    this.#finish();
    this.#sink.closed(reason);
  }

  #finish(): void {
    this.#isOver = true;
    this.#timer?.[Symbol.dispose]();
    this.#call?.destroy();
  }
}

function parseEvent(line: string): RawEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("type" in value) || !("object" in value))
    return undefined;
  return typeof value.type === "string" ? { type: value.type, object: value.object } : undefined;
}

function versionOf(object: unknown): string | undefined {
  if (typeof object !== "object" || object === null || !("metadata" in object)) return undefined;
  const { metadata } = object;
  if (typeof metadata !== "object" || metadata === null || !("resourceVersion" in metadata)) return undefined;
  return typeof metadata.resourceVersion === "string" ? metadata.resourceVersion : undefined;
}
