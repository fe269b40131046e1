import { type FieldError, fieldErrors, rouse, servingIndex, under } from "@rouse/shared";
import type { ServingContainer, ServingSpec } from "./pod-spec.ts";
import type { AdmissionSettings } from "./settings.ts";
import { type ContainerContext, validateContainer } from "./validate-container.ts";
import { DNS_1123_SUBDOMAIN } from "./validate-name.ts";
import { hasProbe } from "./validate-probe.ts";
import { validateVolumes } from "./validate-volumes.ts";

/** Fields of the pod part: always allowed, or with a feature. What is in neither is never allowed. C-151 */
const ALLOWED: ReadonlySet<string> = new Set(
  ["serviceAccountName", "containers", "volumes", "imagePullSecrets", "enableServiceLinks"]
    .concat(["automountServiceAccountToken", "containerConcurrency", "timeoutSeconds"])
    .concat(["responseStartTimeoutSeconds", "idleTimeoutSeconds"]),
);
const BY_FEATURE: Readonly<Record<string, string>> = {
  affinity: "podspec-affinity",
  topologySpreadConstraints: "podspec-topologyspreadconstraints",
  hostAliases: "podspec-hostaliases",
  nodeSelector: "podspec-nodeselector",
  runtimeClassName: "podspec-runtimeclassname",
  tolerations: "podspec-tolerations",
  securityContext: "podspec-securitycontext",
  shareProcessNamespace: "podspec-shareprocessnamespace",
  priorityClassName: "podspec-priorityclassname",
  schedulerName: "podspec-schedulername",
  initContainers: "podspec-init-containers",
  dnsPolicy: "podspec-dnspolicy",
  dnsConfig: "podspec-dnsconfig",
  hostIPC: "podspec-hostipc",
  hostPID: "podspec-hostpid",
  hostNetwork: "podspec-hostnetwork",
};

export interface RevisionSpecContext {
  readonly settings: AdmissionSettings;
  /** Annotations beside the spec: one of them may say which program to run. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** The spec of a revision or of its template; paths are relative to it. §14.3, §14.4 */
export function validateRevisionSpec(
  spec: ServingSpec,
  { settings, annotations }: RevisionSpecContext,
): readonly FieldError[] {
  const hasFeature = (name: string): boolean => settings.features.has(name);
  const { containers = [], initContainers = [], volumes = [], serviceAccountName } = spec;
  return [
    ...validateFields(spec, hasFeature),
    ...validateLimits(spec, settings),
    ...validateContainers(spec, { hasFeature, needsImage: needOfImage(settings, annotations) }),
    ...under("volumes", validateVolumes(volumes, [...containers, ...initContainers], hasFeature)),
    ...(serviceAccountName && !DNS_1123_SUBDOMAIN.test(serviceAccountName)
      ? [fieldErrors.invalid(serviceAccountName, "serviceAccountName")]
      : []),
  ];
}

/** The annotation says what to run for the whole revision. */
function needOfImage(
  settings: AdmissionSettings,
  annotations: Readonly<Record<string, string>>,
): ContainerContext["needsImage"] {
  if (settings.requiresImage) return "always";
  return annotations[rouse.command] === undefined ? "without-command" : "never";
}

function validateFields(spec: ServingSpec, hasFeature: (name: string) => boolean): readonly FieldError[] {
  return Object.entries(spec).flatMap(([name, value]) => {
    // Taking a token away is allowed to everybody, asking for one is not.
    if (name === "automountServiceAccountToken") return value === false ? [] : [fieldErrors.disallowed(name)];
    const feature = BY_FEATURE[name];
    const isAllowed = feature === undefined ? ALLOWED.has(name) : hasFeature(feature);
    return isAllowed ? [] : [fieldErrors.disallowed(name)];
  });
}

function validateLimits(spec: ServingSpec, settings: AdmissionSettings): readonly FieldError[] {
  const { timeoutSeconds = 0, containerConcurrency = 0 } = spec;
  const timeoutMax = settings.revisionTimeoutSecondsMax;
  const concurrencyMin = settings.allowContainerConcurrencyZero ? 0 : 1;
  const concurrencyMax = settings.containerConcurrencyMax;
  return [
    ...(timeoutSeconds < 0 || timeoutSeconds > timeoutMax
      ? [fieldErrors.range(timeoutSeconds, [0, timeoutMax], "timeoutSeconds")]
      : []),
    ...(containerConcurrency < concurrencyMin || containerConcurrency > concurrencyMax
      ? [fieldErrors.range(containerConcurrency, [concurrencyMin, concurrencyMax], "containerConcurrency")]
      : []),
  ];
}

function validateContainers(
  spec: ServingSpec,
  options: Pick<ContainerContext, "hasFeature" | "needsImage">,
): readonly FieldError[] {
  const { hasFeature } = options;
  const { containers = [], initContainers = [], volumes = [] } = spec;
  if (containers.length === 0) return [fieldErrors.missing("containers")];
  const serving = servingIndex(containers);
  const ports = containers.reduce((total, container) => total + (container.ports?.length ?? 0), 0);
  const errors: FieldError[] = [];
  if (containers.length > 1 && !hasFeature("multi-container")) {
    const why = `multi-container is off, but found ${containers.length} containers`;
    errors.push(fieldErrors.text(why, "containers"));
  }
  if (containers.length > 1 && ports === 0) errors.push(fieldErrors.missing("containers[*].ports"));
  if (ports > 1) {
    const text = "more than one container port is set";
    errors.push({
      ...fieldErrors.text(text, "containers[*].ports"),
      details: "Only a single port is allowed across all containers",
    });
  }
  return [
    ...errors,
    ...validateNames(containers, "containers"),
    ...validateNames(initContainers, "initContainers"),
    ...containers.flatMap((container, index) => {
      const context = { ...options, isServing: index === serving, volumes };
      return under(`containers[${index}]`, validateContainer(container, context));
    }),
    ...initContainers.flatMap((container, index) => {
      const probe = hasProbe(container);
      const context = { ...options, isServing: false, volumes };
      const own = validateContainer(container, context).filter(({ paths }) => paths[0] !== probe);
      const probes =
        probe === undefined ? [] : [fieldErrors.text("field not allowed in an init container", probe)];
      return under(`initContainers[${index}]`, [...own, ...probes]);
    }),
  ];
}

function validateNames(containers: readonly ServingContainer[], path: string): readonly FieldError[] {
  const seen = new Set<string>();
  return containers.flatMap(({ name = "" }, index) => {
    const isTaken = name !== "" && seen.has(name);
    seen.add(name);
    return isTaken
      ? [fieldErrors.text(`duplicate container name ${JSON.stringify(name)}`, `${path}[${index}].name`)]
      : [];
  });
}
