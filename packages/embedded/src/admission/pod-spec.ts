import type { Container, ObjectMeta, Probe, RevisionSpec } from "@rouse/shared";

/** A mount of a volume, as far as admission looks at it. */
export interface VolumeMount {
  readonly name?: string;
  readonly mountPath?: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
  readonly mountPropagation?: string;
}

/** A volume: its name, and one member that says what it is. */
export interface Volume {
  readonly name?: string;
  readonly [source: string]: unknown;
}

/** A container, as far as admission looks at it: what a client sent, so no member is certain. */
export interface ServingContainer extends Omit<Container, "name" | "envFrom" | "volumeMounts"> {
  readonly name?: string;
  readonly envFrom?: readonly { readonly configMapRef?: unknown; readonly secretRef?: unknown }[];
  readonly volumeMounts?: readonly VolumeMount[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
}

/** The spec of a revision, as far as admission looks at it. */
export interface ServingSpec extends Omit<RevisionSpec, "containers" | "initContainers" | "volumes"> {
  readonly containers?: readonly ServingContainer[];
  readonly initContainers?: readonly ServingContainer[];
  readonly volumes?: readonly Volume[];
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
}

export interface ServingTemplate {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: ServingSpec;
}

export type ProbeName = "readinessProbe" | "livenessProbe" | "startupProbe";
export const probeNames: readonly ProbeName[] = ["readinessProbe", "livenessProbe", "startupProbe"];

/** The four ways to ask, of which a probe has exactly one. */
export const probeHandlers = [
  "httpGet",
  "tcpSocket",
  "exec",
  "grpc",
] as const satisfies readonly (keyof Probe)[];
