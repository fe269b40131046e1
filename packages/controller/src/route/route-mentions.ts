import {
  type Configuration,
  labels,
  type ObjectKey,
  objectKey,
  type Revision,
  type Route,
  type Stored,
} from "@rouse/shared";

type Mentioned = "configuration" | "revision";

/**
 * Which Routes mention a Configuration or Revision in their spec, whether or not it exists: then a change of it, also
 * its creation, concerns the Route (C §4.2). Indexed, so that a change costs what it concerns.
 */
export class RouteMentions {
  readonly #routes = new Map<string, Set<ObjectKey>>();
  readonly #mentioned = new Map<ObjectKey, readonly string[]>();

  /** Takes a Route's spec of now in place of the one before. */
  show(route: Pick<Stored<Route>, "metadata" | "spec">): void {
    this.hide(route);
    const { namespace } = route.metadata;
    const mentioned = (route.spec.traffic ?? []).flatMap(({ configurationName = "", revisionName = "" }) => [
      ...(configurationName === "" ? [] : [placeOf("configuration", namespace, configurationName)]),
      ...(revisionName === "" ? [] : [placeOf("revision", namespace, revisionName)]),
    ]);
    const key = objectKey(route.metadata);
    for (const place of mentioned) {
      this.#routes.set(place, (this.#routes.get(place) ?? new Set<ObjectKey>()).add(key));
    }
    if (mentioned.length > 0) this.#mentioned.set(key, mentioned);
  }

  hide({ metadata }: Pick<Stored<Route>, "metadata">): void {
    const key = objectKey(metadata);
    for (const place of this.#mentioned.get(key) ?? []) {
      const routes = this.#routes.get(place);
      routes?.delete(key);
      if (routes?.size === 0) this.#routes.delete(place);
    }
    this.#mentioned.delete(key);
  }

  /** Routes that mention the object; of a Revision also those that mention its Configuration. */
  of(kind: Mentioned, { metadata }: Stored<Configuration> | Stored<Revision>): ReadonlySet<ObjectKey> {
    const { namespace, name } = metadata;
    const owner = kind === "revision" ? (metadata.labels?.[labels.configuration] ?? "") : "";
    return new Set([
      ...(this.#routes.get(placeOf(kind, namespace, name)) ?? []),
      ...(owner === "" ? [] : (this.#routes.get(placeOf("configuration", namespace, owner)) ?? [])),
    ]);
  }
}

function placeOf(kind: Mentioned, namespace: string, name: string): string {
  return `${kind} ${namespace}/${name}`;
}
