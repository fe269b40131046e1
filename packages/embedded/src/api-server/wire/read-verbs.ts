import { apiVersion, isBuiltIn, type ListQuery } from "@rouse/shared";
import { stringify } from "yaml";
import { partialOf, readInclude, type TableOptions, tableOf } from "../table/table.ts";
import { type Answer, type Headers, JSON_TYPE, json, methodNotAllowed } from "./answer.ts";
import type { ApiResource } from "./api-resource.ts";
import { type ListPage, listObjects, reached } from "./list-objects.ts";
import { type Form, negotiate, noSuchForm } from "./negotiate.ts";
import { type PodOutput, podLog } from "./pod-logs.ts";
import type { Presented } from "./present.ts";
import { isTrue, readStart } from "./request-options.ts";
import type { Target } from "./request-target.ts";
import { scaleOf } from "./scale.ts";
import { deprecationHeaders } from "./warnings.ts";
import { readWatch, type WatchDeps, WatchStream } from "./watch-stream.ts";

export interface ReadRequest {
  readonly accept: string | undefined;
  readonly search: URLSearchParams;
}

type ResourceTarget = Extract<Target, { kind: "collection" | "object" }>;

/** get, list, watch, log. */
export class ReadVerbs {
  readonly #deps: WatchDeps & { readonly podOutput: PodOutput };

  constructor(deps: WatchDeps & { readonly podOutput: PodOutput }) {
    this.#deps = deps;
  }

  async get(target: ResourceTarget, request: ReadRequest): Promise<Answer> {
    if (target.kind === "object" && target.subresource === "log") return this.#log(target, request);
    const form = negotiate(request.accept);
    if (target.kind === "collection") {
      const query = queryOf(target.namespace, request.search);
      if (target.isWatch || isTrue(request.search.get("watch")))
        return this.#watch(target.resource, query, { ...request, form });
      return this.#list(target.resource, query, { ...request, form });
    }
    if (target.isWatch) {
      const query = {
        ...queryOf(target.namespace, request.search),
        fieldSelector: `metadata.name=${target.name}`,
      };
      return this.#watch(target.resource, query, { ...request, form });
    }
    return this.#object(target, { ...request, form });
  }

  async #object(
    target: Extract<Target, { kind: "object" }>,
    { search, form }: ReadRequest & { readonly form: Form },
  ): Promise<Answer> {
    const { resource, namespace, name, subresource } = target;
    const { version } = readStart(
      new URLSearchParams({ resourceVersion: search.get("resourceVersion") ?? "" }),
      "list",
    );
    if (version !== undefined) await reached(this.#deps, Number(version));
    const stored = this.#deps.store.get(resource.storedAs, { namespace, name });
    if (subresource === "scale") return json(scaleOf(stored));
    if (subresource === "token" || subresource === "finalize") throw methodNotAllowed();
    const object = this.#deps.presenter.object(resource, stored);
    return this.#inForm(resource, object, { search, form });
  }

  /** One object as the client wants it. */
  #inForm(
    resource: ApiResource,
    object: Presented,
    { search, form }: { readonly search: URLSearchParams; readonly form: Form },
  ): Answer {
    switch (form.kind) {
      case "table": {
        const metadata = { resourceVersion: String(object.metadata.resourceVersion) };
        return json(tableOf(resource, [object], { ...this.#tableOptions(form, search), metadata }));
      }
      case "partial":
        if (form.isList) throw noSuchForm();
        return json(partialOf(object), { type: JSON_TYPE });
      default:
        return inSyntax(object, form, deprecationHeaders(resource));
    }
  }

  async #list(
    resource: ApiResource,
    query: ListQuery,
    { search, form }: { readonly search: URLSearchParams; readonly form: Form },
  ): Promise<Answer> {
    const page = await listObjects(this.#deps, { resource, query }, search);
    const objects = page.items.map((stored) => this.#deps.presenter.object(resource, stored));
    const metadata = listMetadata(page);
    switch (form.kind) {
      case "table":
        return json(tableOf(resource, objects, { ...this.#tableOptions(form, search), metadata }), {
          headers: deprecationHeaders(resource),
        });
      case "partial": {
        if (!form.isList) throw noSuchForm();
        const head = { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1" };
        return json({ ...head, metadata, items: objects.map((object) => partialOf(object)) });
      }
      default: {
        const isCustom = !isBuiltIn(resource.kind);
        const { kind } = resource.kind;
        const body = {
          kind: `${kind}List`,
          apiVersion: apiVersion(resource.kind),
          metadata: isCustom ? { continue: "", ...metadata } : metadata,
          items: isCustom ? objects : objects.map(({ kind: _, apiVersion: __, ...item }) => item),
        };
        return inSyntax(body, form, deprecationHeaders(resource));
      }
    }
  }

  #watch(
    resource: ApiResource,
    query: ListQuery,
    { search, form }: { readonly search: URLSearchParams; readonly form: Form },
  ): Answer {
    readWatch(search); // what is wrong with the request is said before the stream begins
    const table = this.#tableOptions(form, search);
    this.#deps.store.list(resource.storedAs, { ...query, namespace: " " }); // its selectors too
    return {
      kind: "stream",
      status: 200,
      headers: { "Content-Type": JSON_TYPE, "Cache-Control": "no-cache, private" },
      start: (stream) =>
        new WatchStream(this.#deps, { resource, query, search, form, table }, stream).start(),
    };
  }

  async #log(
    { namespace, name, resource }: Extract<Target, { kind: "object" }>,
    { search }: ReadRequest,
  ): Promise<Answer> {
    const pod = this.#deps.store.get(resource.storedAs, { namespace, name });
    return podLog(this.#deps, pod, search);
  }

  #tableOptions(form: Form, search: URLSearchParams): TableOptions {
    const version = form.kind === "table" ? form.version : "v1";
    const include = form.kind === "table" ? readInclude(search) : "Metadata";
    return { version, include, now: this.#deps.clock.wall() };
  }
}

function inSyntax(body: object, form: Form, own: Headers): Answer {
  if (form.kind !== "object" || !form.isYaml) return json(body, { headers: own });
  const headers = { "Content-Type": "application/yaml", "Cache-Control": "no-cache, private", ...own };
  return { kind: "whole", status: 200, headers, body: stringify(body) };
}

export function queryOf(namespace: string | undefined, search: URLSearchParams): ListQuery {
  const labelSelector = search.get("labelSelector");
  const fieldSelector = search.get("fieldSelector");
  return {
    ...(namespace === undefined || namespace === "" ? {} : { namespace }),
    ...(labelSelector === null ? {} : { labelSelector }),
    ...(fieldSelector === null ? {} : { fieldSelector }),
  };
}

function listMetadata({ resourceVersion, continueToken, remaining }: ListPage): {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
} {
  return {
    resourceVersion,
    ...(continueToken === undefined ? {} : { continue: continueToken }),
    ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
  };
}
