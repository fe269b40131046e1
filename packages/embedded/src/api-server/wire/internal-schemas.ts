import { type Kind, type KubeObject, PodAutoscalerKind, ServerlessServiceKind } from "@rouse/shared";
import { schemaOf } from "../../admission/kind-schemas.ts";
import type { Schema } from "../../admission/schema.ts";

const text: Schema = { type: "string" };
const integer: Schema = { type: "integer" };

function open(fields: Readonly<Record<string, Schema>>, ...required: readonly string[]): Schema {
  return { type: "object", fields, required, isOpen: true };
}

const reference = open({ apiVersion: text, kind: text, name: text });

/** Types and required members of kinds that controllers write and nobody else: what is not named is taken as it is. */
const internal: ReadonlyMap<Kind<KubeObject>, Schema> = new Map<Kind<KubeObject>, Schema>([
  [
    ServerlessServiceKind,
    open({
      spec: open(
        { mode: text, objectRef: reference, protocolType: text, numActivators: integer },
        "objectRef",
        "protocolType",
      ),
      status: open({ serviceName: text, privateServiceName: text, observedGeneration: integer }),
    }),
  ],
  [
    PodAutoscalerKind,
    open({
      spec: open(
        { containerConcurrency: integer, protocolType: text, reachability: text, scaleTargetRef: reference },
        "protocolType",
        "scaleTargetRef",
      ),
      status: open({
        desiredScale: integer,
        actualScale: integer,
        serviceName: text,
        metricsServiceName: text,
        observedGeneration: integer,
      }),
    }),
  ],
]);

/** The shape of a custom resource. P-55 */
export function customSchema(kind: Kind<KubeObject>): Schema {
  return internal.get(kind) ?? schemaOf(kind);
}
