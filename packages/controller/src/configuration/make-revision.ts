import {
  annotations,
  type Configuration,
  childName,
  controllerOf,
  isControlledBy,
  labels,
  type Revision,
  rfc3339,
  type Stored,
  semanticEqual,
  type WallMs,
} from "@rouse/shared";
import { nonEmpty } from "../metadata-keys.ts";
import type { Settings } from "../settings/settings.ts";
import { defaultRevisionSpec } from "./revision-defaults.ts";

const GENERATION_DIGITS_MIN = 5;

/** Name of the Revision for the current generation: the template's own, else made from name and generation. C-5. */
export function revisionName(configuration: Stored<Configuration>): string {
  const own = configuration.spec.template.metadata?.name ?? "";
  if (own !== "") return own;
  const generation = String(configuration.metadata.generation).padStart(GENERATION_DIGITS_MIN, "0");
  return childName(configuration.metadata.name, `-${generation}`);
}

/** The Revision of a Configuration's current generation. It inherits from the template alone. C-8, C-9, C-33. */
export function makeRevision(
  configuration: Stored<Configuration>,
  settings: Settings,
  now: WallMs,
): Revision {
  const { template } = configuration.spec;
  const { name, namespace, generation, uid } = configuration.metadata;
  const routes = configuration.metadata.annotations?.[annotations.routes];
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: {
      name: revisionName(configuration),
      namespace,
      labels: {
        ...template.metadata?.labels,
        ...nonEmpty({
          [labels.configuration]: name,
          [labels.configurationGeneration]: String(generation),
          [labels.configurationUid]: uid,
          [labels.service]: configuration.metadata.labels?.[labels.service],
          [labels.serviceUid]: configuration.metadata.labels?.[labels.serviceUid],
        }),
        // Under a Service it will get traffic as soon as it is ready, so it starts as active.
        [labels.routingState]: routes === undefined ? "pending" : "active",
      },
      annotations: {
        ...template.metadata?.annotations,
        ...nonEmpty({
          [annotations.creator]: configuration.metadata.annotations?.[annotations.lastModifier],
          [annotations.routes]: routes,
        }),
        [annotations.routingStateModified]: rfc3339(now),
      },
      ownerReferences: [controllerOf(configuration)],
    },
    spec: defaultRevisionSpec(template.spec, settings),
  };
}

/** The number of a revision among those of its Configuration; 0 if it carries none. */
export function generationOf(revision: Revision | Stored<Revision>): number {
  const text = revision.metadata.labels?.[labels.configurationGeneration] ?? "";
  return /^\d+$/.test(text) ? Number(text) : 0;
}

/**
 * Whether a Revision found under the template's own name is the one the Configuration means: ours, and of this
 * generation or with exactly this spec, so that one may go back to an older named revision. C-32.
 */
export function isUsableRevision(
  revision: Stored<Revision>,
  configuration: Stored<Configuration>,
  settings: Settings,
): boolean {
  if (!isControlledBy(revision, configuration)) return false;
  if (generationOf(revision) === configuration.metadata.generation) return true;
  return semanticEqual(
    defaultRevisionSpec(revision.spec, settings),
    defaultRevisionSpec(configuration.spec.template.spec, settings),
  );
}
