import {
  badRequest,
  type Clock,
  KubeError,
  type Logger,
  noSuchResource,
  notFound,
  type ObjectStore,
  type Random,
} from "@rouse/shared";
import { BuiltInAdmission } from "../built-in/built-in-admission.ts";
import { type Answer, failure, json, methodNotAllowed, pageNotFound, text } from "./answer.ts";
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList, apiVersions } from "./discovery.ts";
import { negotiate } from "./negotiate.ts";
import { OpenApi } from "./openapi.ts";
import type { PodOutput } from "./pod-logs.ts";
import { Presenter } from "./present.ts";
import { type Body, readAny } from "./read-body.ts";
import { ReadVerbs } from "./read-verbs.ts";
import { parseTarget, type Target } from "./request-target.ts";
import { answerReview } from "./reviews.ts";
import { serverVersion } from "./server-version.ts";
import { WriteVerbs } from "./write-verbs.ts";

/** A request, whichever listener it came by. */
export interface ApiRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly header: (name: string) => string | undefined;
  /** Reads the whole body. @throws KubeError `RequestEntityTooLarge` */
  readonly body: () => Promise<Buffer>;
}

export interface ApiHandlerDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly podOutput: PodOutput;
  /** Resolves when every write made until now outlives a crash: no write is answered before. Absent: nothing is kept. */
  readonly durable?: () => Promise<void>;
}

/**
 * The Kubernetes API: paths, verbs, bodies and answers as kubectl, kn and client-go need them, on the object store.
 * Every failure is answered by a Status; a request never ends the process.
 */
export class ApiHandler {
  readonly #deps: ApiHandlerDeps;
  readonly #read: ReadVerbs;
  readonly #write: WriteVerbs;
  readonly #openApi = new OpenApi();

  constructor(deps: ApiHandlerDeps) {
    this.#deps = deps;
    const { store, random } = deps;
    const presenter = new Presenter();
    this.#read = new ReadVerbs({ ...deps, presenter });
    this.#write = new WriteVerbs({ ...deps, presenter, admission: new BuiltInAdmission({ store, random }) });
  }

  async handle(request: ApiRequest): Promise<Answer> {
    try {
      return await this.#answer(request);
    } catch (error) {
      if (!(error instanceof KubeError)) {
        this.#deps.log.error("api request failed", { path: request.url, error: String(error) });
      }
      return failure(error);
    }
  }

  async #answer(request: ApiRequest): Promise<Answer> {
    const { path, search } = splitUrl(request.url);
    const target = parseTarget(path);
    switch (target.kind) {
      case "no-such-path":
        return pageNotFound();
      case "no-such-resource":
        throw noSuchResource();
      case "not-served":
        throw badRequest(
          `${target.subresource} is not served here: pods are processes of this machine, reach them as such`,
        );
      case "no-such-object":
        throw notFound(target.resource.kind, target.name);
      case "document":
        return this.#document(target.path, request);
      case "review": {
        if (request.method !== "POST") throw methodNotAllowed();
        const sent = readAny(target.resource.kind, await bodyOf(request));
        return json(answerReview(target.resource, sent), { status: 201 });
      }
      default:
        return this.#onResource(target, request, search);
    }
  }

  async #onResource(
    target: Extract<Target, { kind: "collection" | "object" }>,
    request: ApiRequest,
    search: URLSearchParams,
  ): Promise<Answer> {
    if (request.method === "GET") {
      return this.#read.get(target, { accept: request.header("accept"), search });
    }
    const body = (): Promise<Body> => bodyOf(request);
    const answer = await this.#write.handle(target, {
      method: request.method,
      userAgent: request.header("user-agent"),
      search,
      body,
    });
    await this.#deps.durable?.();
    return answer;
  }

  /** What there is beside objects: discovery, OpenAPI, version, health. */
  #document(path: string, request: ApiRequest): Answer {
    const found = this.#documentAt(path, request);
    if (request.method !== "GET" && found.status !== 404) throw methodNotAllowed();
    return found;
  }

  #documentAt(path: string, request: ApiRequest): Answer {
    const accept = request.header("accept");
    switch (path) {
      case "/healthz":
      case "/livez":
      case "/readyz":
        return text("ok");
      case "/version":
        return json(serverVersion);
      case "/openapi/v3":
        return this.#openApiIndex(request.header("if-none-match"));
      case "/api":
      case "/apis": {
        const form = negotiate(accept, { discovery: true });
        const root = path === "/api" ? "api" : "apis";
        if (form.kind === "aggregated-discovery")
          return aggregatedDiscovery(root, request.header("if-none-match"));
        return json(root === "api" ? apiVersions() : apiGroupList());
      }
      default:
        return documentAt(path.split("/").slice(1), this.#openApi);
    }
  }

  #openApiIndex(ifNoneMatch: string | undefined): Answer {
    const { body, tag } = this.#openApi.index();
    const headers = { ETag: tag, "Cache-Control": "public" };
    if (ifNoneMatch === tag) return { kind: "whole", status: 304, headers, body: "" };
    return json(body, { headers });
  }
}

/** Path and query apart. Not by `URL`, which takes what follows two slashes for a host. */
export function splitUrl(url: string): { readonly path: string; readonly search: URLSearchParams } {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  return { path, search: new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1)) };
}

function documentAt([root, ...rest]: readonly string[], openApi: OpenApi): Answer {
  const found = ((): unknown => {
    switch (root) {
      case "api":
        return apiResourceList(rest.join("/"));
      case "apis":
        return rest.length === 1 ? apiGroup(rest[0] ?? "") : apiResourceList(rest.join("/"));
      case "openapi":
        return rest[0] === "v3" ? openApi.document(rest.slice(2).join("/")) : undefined;
      default:
        return undefined;
    }
  })();
  return found === undefined ? pageNotFound() : json(found);
}

async function bodyOf(request: ApiRequest): Promise<Body> {
  return { contentType: request.header("content-type"), bytes: await request.body() };
}
