import { type AutoscalingLimits, autoscaling } from "@rouse/shared";

/** What config-defaults, config-features and config-autoscaler say about admission; the keys of C-157 that count here. */
export interface AdmissionSettings {
  readonly revisionTimeoutSeconds: number;
  readonly revisionTimeoutSecondsMax: number;
  readonly responseStartTimeoutSeconds: number;
  /** 0 = off. */
  readonly idleTimeoutSeconds: number;
  readonly containerConcurrency: number;
  readonly containerConcurrencyMax: number;
  readonly allowContainerConcurrencyZero: boolean;
  readonly containerName: string;
  readonly initContainerName: string;
  readonly enableServiceLinks: boolean | undefined;
  /** Quantities a container gets where it says nothing, by resource. */
  readonly resources: {
    readonly requests: Readonly<Record<string, string>>;
    readonly limits: Readonly<Record<string, string>>;
  };
  readonly securePodDefaults: "disabled" | "allowrootbounded" | "enabled";
  /** Features of config-features that are not `disabled`, without `kubernetes.`. */
  readonly features: ReadonlySet<string>;
  readonly autoscaling: AutoscalingLimits;
  /** Namespaces whose objects are taken as they come. C-143 */
  readonly excludedNamespaces: ReadonlySet<string>;
  /** Whether a container that says which program to run needs an image as well. */
  readonly requiresImage: boolean;
}

/**
 * The contract's defaults (§15), but for what comes of images never being pulled here: a service may begin at zero, as
 * there is none to try once, and a container with a command needs none.
 */
export const defaultSettings: AdmissionSettings = {
  revisionTimeoutSeconds: 300,
  revisionTimeoutSecondsMax: 600,
  responseStartTimeoutSeconds: 300,
  idleTimeoutSeconds: 0,
  containerConcurrency: 0,
  containerConcurrencyMax: 1_000,
  allowContainerConcurrencyZero: true,
  containerName: "user-container",
  initContainerName: "init-container",
  enableServiceLinks: false,
  resources: { requests: {}, limits: {} },
  securePodDefaults: "disabled",
  excludedNamespaces: new Set(),
  features: new Set(["multi-container", "podspec-volumes-emptydir"]),
  autoscaling: { allowZeroInitialScale: true, maxScaleLimit: 0, defaultClass: autoscaling.kpaClass },
  requiresImage: false,
};
