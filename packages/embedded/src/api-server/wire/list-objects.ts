import {
  badRequest,
  type Clock,
  KubeError,
  type ListQuery,
  type ObjectStore,
  type StoredObject,
} from "@rouse/shared";
import type { ApiResource } from "./api-resource.ts";
import { readStart } from "./request-options.ts";
import { stateAt } from "./state-at.ts";

/** One page of a list. */
export interface ListPage {
  readonly items: readonly StoredObject[];
  readonly resourceVersion: string;
  readonly continueToken: string | undefined;
  /** Absent on the last page, and where a selector makes it unknown. */
  readonly remaining: number | undefined;
}

/** P-105. */
const FUTURE_WAIT_MS = 3_000;

export interface ListDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
}

/** P-100…P-107. @throws KubeError */
export async function listObjects(
  deps: ListDeps,
  { resource, query }: { readonly resource: ApiResource; readonly query: ListQuery },
  search: URLSearchParams,
): Promise<ListPage> {
  const { store } = deps;
  const limit = readLimit(search);
  const token = search.get("continue") || undefined;
  const kind = resource.storedAs;
  if (token !== undefined) {
    if (search.get("resourceVersion")) {
      throw badRequest("specifying resource version is not allowed when using continue");
    }
    const { version, after } = readToken(token);
    const items = continued(store, { resource, query, version });
    const start = items.findIndex(({ metadata }) => `${metadata.namespace}/${metadata.name}` > after);
    return page(start < 0 ? [] : items.slice(start), { limit, version: String(version), query });
  }
  const { version, match } = readStart(search, "list");
  if (version !== undefined) await reached(deps, Number(version));
  if (match === "Exact" && version !== undefined) {
    return page(stateAt(store, kind, { query, version: Number(version) }), { limit, version, query });
  }
  return page(store.list(kind, query), { limit, version: store.resourceVersion, query });
}

/** Waits a little for a version from the future. @throws KubeError `Timeout` */
export async function reached({ store, clock }: ListDeps, version: number): Promise<void> {
  if (version <= Number(store.resourceVersion)) return;
  const there = Promise.withResolvers<boolean>();
  {
    using _timer = clock.after(FUTURE_WAIT_MS, () => there.resolve(false));
    using _observation = store.observe((_kind, change) => {
      if (change.version >= version) there.resolve(true);
    });
    if (await there.promise) return;
  }
  const message = `Timeout: Too large resource version: ${version}, current: ${store.resourceVersion}`;
  throw new KubeError("Timeout", message, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}

function continued(
  store: ObjectStore,
  { resource, query, version }: { resource: ApiResource; query: ListQuery; version: number },
): readonly StoredObject[] {
  try {
    return stateAt(store, resource.storedAs, { query, version });
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    const why =
      "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.";
    throw new KubeError("Expired", why);
  }
}

function page(
  all: readonly StoredObject[],
  { limit, version, query }: { limit: number; version: string; query: ListQuery },
): ListPage {
  const items = limit > 0 ? all.slice(0, limit) : all;
  const last = items.at(-1);
  if (last === undefined || items.length === all.length) {
    return { items, resourceVersion: version, continueToken: undefined, remaining: undefined };
  }
  const after = `${last.metadata.namespace}/${last.metadata.name}`;
  const isSelected = Boolean(query.labelSelector || query.fieldSelector);
  return {
    items,
    resourceVersion: version,
    continueToken: Buffer.from(JSON.stringify({ version: Number(version), after })).toString("base64url"),
    remaining: isSelected ? undefined : all.length - items.length,
  };
}

function readLimit(search: URLSearchParams): number {
  const text = search.get("limit") ?? "0";
  if (/^-?\d+$/.test(text)) return Number(text);
  if (text === "") return 0;
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function readToken(token: string): { readonly version: number; readonly after: string } {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (typeof value === "object" && value !== null && "version" in value && "after" in value) {
      if (typeof value.version === "number" && typeof value.after === "string") {
        return { version: value.version, after: value.after };
      }
    }
  } catch {
    // Said below.
  }
  throw badRequest(
    "invalid continue token: continue key is not valid: invalid character '\\u0081' looking for beginning of value",
  );
}
