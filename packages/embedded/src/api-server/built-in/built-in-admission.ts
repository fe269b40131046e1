import {
  type AdmissionRequest,
  type AnyObject,
  invalid,
  isBuiltIn,
  memberAt,
  type ObjectAdmission,
  type ObjectStore,
  type Random,
  ServiceKind,
  validateMetadata,
} from "@rouse/shared";
import { type Allocator, applyDefaults, defaultPodAlone } from "./defaults.ts";
import { draftOf, mapIn, mapsIn } from "./draft.ts";
import { validateBuiltIn } from "./validate.ts";

/**
 * Defaults and checks of the compiled-in kinds, for writes of clients. The home's own components write what they mean
 * and do not pass through here: a cold start pays for none of it.
 */
export class BuiltInAdmission implements ObjectAdmission {
  readonly #allocator: Allocator;

  constructor(deps: { readonly store: ObjectStore; readonly random: Random }) {
    this.#allocator = allocatorOf(deps);
  }

  /** @throws KubeError `Invalid` with everything that is wrong at once. P-35 */
  admit({ kind, object, before, subresource }: AdmissionRequest): AnyObject {
    if (!isBuiltIn(kind)) return object;
    const draft = draftOf(object);
    if (subresource === undefined) {
      applyDefaults(kind, draft, { before, allocator: this.#allocator });
      if (kind.kind === "Pod") defaultPodAlone(mapIn(draft, "spec"));
    }
    const defaulted: AnyObject = {
      ...draft,
      apiVersion: object.apiVersion,
      kind: object.kind,
      metadata: object.metadata,
    };
    const causes = [
      ...(before === undefined ? validateMetadata(kind, { ...object.metadata }) : []),
      ...validateBuiltIn(kind, { object: defaulted, before }),
    ];
    if (causes.length > 0) throw invalid(kind, object.metadata.name, causes);
    return defaulted;
  }
}

/** Addresses of no network here, which no two Services share. P-60 */
function allocatorOf({ store, random }: { readonly store: ObjectStore; readonly random: Random }): Allocator {
  const free = <T>(draw: () => T, used: ReadonlySet<unknown>): T => {
    let value = draw();
    for (let tries = 0; tries < 100 && used.has(value); tries++) value = draw();
    return value;
  };
  return {
    clusterIp: () =>
      free(
        () => `10.${random.integer(96, 111)}.${random.integer(0, 255)}.${random.integer(1, 254)}`,
        new Set(store.list(ServiceKind).map((service) => memberAt(service, "spec.clusterIP"))),
      ),
    nodePort: () =>
      free(
        () => random.integer(30_000, 32_767),
        new Set(
          store
            .list(ServiceKind)
            .flatMap((service) => mapsIn(memberAt(service, "spec"), "ports").map(({ nodePort }) => nodePort)),
        ),
      ),
  };
}
