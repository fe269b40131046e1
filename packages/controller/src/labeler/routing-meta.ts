import { annotations, labels, type ObjectMeta, rfc3339, type WallMs } from "@rouse/shared";
import { joinNames, routingState, splitNames } from "../metadata-keys.ts";

interface Labelled {
  readonly metadata: Pick<ObjectMeta, "labels" | "annotations">;
}

/** Changes of metadata as a merge patch; `null` removes. */
export interface MetadataPatch {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string | null>>;
}

/** Index of objects by the names of the Routes they say they are used by, made of `routesOf`. */
export const BY_ROUTE = annotations.routes;

/** Which Routes an object says it is used by. */
export function routesOf(object: Labelled): ReadonlySet<string> {
  return splitNames(object.metadata.annotations?.[annotations.routes]);
}

/**
 * What has to change so that `object` carries, or no longer carries, the Route's name; `undefined` for nothing. A
 * Revision also gets its routing state: active while any Route uses it, else reserve. C-65.
 */
export function routingPatch(
  object: Labelled,
  route: { readonly name: string; readonly isListed: boolean },
  options: { readonly hasState: boolean; readonly now: WallMs },
): MetadataPatch | undefined {
  const before = routesOf(object);
  const routes = new Set(before);
  if (route.isListed) routes.add(route.name);
  else routes.delete(route.name);
  const text = joinNames(routes);
  const isRouted = text === object.metadata.annotations?.[annotations.routes];
  const state = routes.size > 0 ? "active" : "reserve";
  const isInState = !options.hasState || routingState(object) === state;
  if (isRouted && isInState) return undefined;
  return {
    ...(isInState ? {} : { labels: { [labels.routingState]: state } }),
    annotations: {
      ...(isRouted ? {} : { [annotations.routes]: text ?? null }),
      ...(isInState ? {} : { [annotations.routingStateModified]: rfc3339(options.now) }),
    },
  };
}
