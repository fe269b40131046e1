import { type AnyObject, apiVersion, type StoredObject } from "@rouse/shared";
import { normalizeMessage } from "../built-in/normalize.ts";
import type { ApiResource } from "./api-resource.ts";
import { toNewEvent } from "./event-view.ts";

/** An object as clients see it. */
export interface Presented {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly [member: string]: unknown;
}

/** The shape clients are used to, made of what is stored; the same stored object is worked on once. P-42 */
export class Presenter {
  readonly #known = new WeakMap<StoredObject, Map<ApiResource, Presented>>();
  readonly #texts = new WeakMap<Presented, string>();

  object(resource: ApiResource, stored: StoredObject): Presented {
    const views = this.#known.get(stored) ?? new Map<ApiResource, Presented>();
    const known = views.get(resource);
    if (known !== undefined) return known;
    const made = present(resource, stored);
    this.#known.set(stored, views.set(resource, made));
    return made;
  }

  /** As JSON: watches of many clients send the same text. */
  text(presented: Presented): string {
    const known = this.#texts.get(presented);
    if (known !== undefined) return known;
    const made = JSON.stringify(presented);
    this.#texts.set(presented, made);
    return made;
  }
}

function present(resource: ApiResource, stored: StoredObject): Presented {
  const { kind, message, hasGeneration } = resource;
  const viewed: AnyObject = resource.storedAs === kind ? stored : toNewEvent(stored);
  const { generation, namespace, resourceVersion, ...metadata } = stored.metadata;
  const head = { kind: kind.kind, apiVersion: apiVersion(kind) };
  const object = {
    ...viewed,
    ...head,
    metadata: {
      ...withoutEmpty(metadata),
      ...(namespace === "" ? {} : { namespace }),
      ...(resourceVersion === "" ? {} : { resourceVersion }),
      ...(hasGeneration ? { generation } : {}),
    },
  };
  if (message === undefined) return object;
  try {
    const normal = normalizeMessage(message, object).value;
    return { ...normal, ...head, metadata: { ...object.metadata } };
  } catch {
    return object; // made by a component of ours with a member the table has otherwise: better shown than hidden
  }
}

function withoutEmpty(metadata: object): Readonly<Record<string, unknown>> {
  const entries = Object.entries(metadata).filter(
    ([, value]) => typeof value !== "object" || Object.keys(value).length > 0,
  );
  return Object.fromEntries(entries);
}
