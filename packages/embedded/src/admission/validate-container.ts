import { type FieldError, fieldErrors, QUEUE_PROXY_CONTAINER, under } from "@rouse/shared";
import type { ServingContainer, Volume } from "./pod-spec.ts";
import { validateProbes } from "./validate-probe.ts";

export interface ContainerContext {
  readonly isServing: boolean;
  /** A feature flag that is not `disabled`. */
  readonly hasFeature: (name: string) => boolean;
  readonly volumes: readonly Volume[];
  readonly needsImage: "always" | "without-command" | "never";
}

/** C-152. */
const ALLOWED: ReadonlySet<string> = new Set(
  ["name", "image", "command", "args", "workingDir", "env", "envFrom", "ports", "resources", "volumeMounts"]
    .concat(["imagePullPolicy", "livenessProbe", "readinessProbe", "startupProbe", "securityContext"])
    .concat(["terminationMessagePath", "terminationMessagePolicy"]),
);
const RESERVED_ENV = ["K_SERVICE", "K_CONFIGURATION", "K_REVISION"];
const RESERVED_PORTS: ReadonlySet<number> = new Set([8008, 8012, 8013, 8022, 9090, 9091]);
const PORT_NAMES: ReadonlySet<string> = new Set(["", "h2c", "http1"]);
const RESERVED_PATHS: ReadonlySet<string> = new Set(["/", "/dev", "/dev/log", "/tmp/.X11-unix"]);
/** Registry, path, tag, digest: enough to tell a reference from a mistake; nobody pulls it here. */
const IMAGE =
  /^[a-zA-Z0-9]([-a-zA-Z0-9._]*[a-zA-Z0-9])?(:\d+)?(\/[a-zA-Z0-9]([-a-zA-Z0-9._]*[a-zA-Z0-9])?)*(:[\w][\w.-]{0,127})?(@[a-z0-9+._-]+:[0-9a-fA-F]{32,})?$/;
const ID_MAX = 2 ** 31 - 1;

/** One container of a revision; paths are relative to it. §14.4, C-152 */
export function validateContainer(
  container: ServingContainer,
  context: ContainerContext,
): readonly FieldError[] {
  if (Object.keys(container).length === 0) return [fieldErrors.missing("")];
  return [
    ...Object.keys(container)
      .filter((name) => !ALLOWED.has(name))
      .map((name) => fieldErrors.disallowed(name)),
    ...(container.name === QUEUE_PROXY_CONTAINER
      ? [fieldErrors.text(`${QUEUE_PROXY_CONTAINER} is a reserved container name`, "name")]
      : []),
    ...validateImage(container, context),
    ...validateEnv(container, context),
    ...validatePorts(container),
    ...validateMounts(container, context),
    ...validateProbes(container, {
      isServing: context.isServing,
      allowsSidecarProbes: context.hasFeature("multi-container-probing"),
    }),
    ...validateSecurityContext(container.securityContext ?? {}, context.hasFeature),
  ];
}

function validateImage(
  { image, command = [] }: ServingContainer,
  { needsImage }: ContainerContext,
): readonly FieldError[] {
  if (!image) {
    if (needsImage === "never" || (needsImage === "without-command" && command.length > 0)) return [];
    const missing = fieldErrors.missing("image");
    const details = "or say which program to run: a command, or the annotation rouse.dev/command";
    return [needsImage === "always" ? missing : { ...missing, details }];
  }
  return IMAGE.test(image) ? [] : [fieldErrors.text("Failed to parse image reference", "image")];
}

function validateEnv(container: ServingContainer, { isServing }: ContainerContext): readonly FieldError[] {
  const reserved = isServing ? [...RESERVED_ENV, "PORT"] : RESERVED_ENV;
  return [
    ...(container.env ?? []).flatMap(({ name }, index) => {
      if (!name) return [fieldErrors.missing(`env[${index}].name`)];
      const why = `${JSON.stringify(name)} is a reserved environment variable`;
      return reserved.includes(name) ? [fieldErrors.text(why, `env[${index}].name`)] : [];
    }),
    ...(container.envFrom ?? []).flatMap(({ configMapRef, secretRef }, index) => {
      const paths = [`envFrom[${index}].configMapRef`, `envFrom[${index}].secretRef`];
      if (configMapRef !== undefined && secretRef !== undefined) return [fieldErrors.both(...paths)];
      return configMapRef === undefined && secretRef === undefined ? [fieldErrors.neither(...paths)] : [];
    }),
  ];
}

function validatePorts({ ports = [] }: ServingContainer): readonly FieldError[] {
  return ports.flatMap((port, index) => {
    const errors: FieldError[] = Object.keys(port)
      .filter((name) => name === "hostPort" || name === "hostIP")
      .map((name) => fieldErrors.disallowed(name));
    const { containerPort = 0, name = "", protocol = "" } = port;
    if (RESERVED_PORTS.has(containerPort)) {
      errors.push({
        ...fieldErrors.invalid(containerPort, "containerPort"),
        details: "this port is reserved for the queue-proxy beside the container",
      });
    } else if (containerPort < 0 || containerPort > 65_535) {
      errors.push(fieldErrors.range(containerPort, [0, 65_535], "containerPort"));
    }
    if (!PORT_NAMES.has(name)) {
      errors.push(fieldErrors.text(`Port name ${name} is not allowed`, "name"));
    }
    if (protocol !== "" && protocol !== "TCP") errors.push(fieldErrors.invalid(protocol, "protocol"));
    return under(`ports[${index}]`, errors);
  });
}

function validateMounts(
  { volumeMounts = [] }: ServingContainer,
  context: ContainerContext,
): readonly FieldError[] {
  const seen = new Set<string>();
  return volumeMounts.flatMap((mount, index) => {
    const { name, mountPath = "", readOnly, mountPropagation } = mount;
    const errors: FieldError[] = [];
    const volume = context.volumes.find((candidate) => candidate.name === name);
    if (!name) errors.push(fieldErrors.missing("name"));
    else if (volume === undefined) {
      errors.push(fieldErrors.text("volumeMount has no matching volume", "name"));
    }
    if (mountPath === "") errors.push(fieldErrors.missing("mountPath"));
    else if (RESERVED_PATHS.has(mountPath)) {
      errors.push(fieldErrors.text(`mountPath ${JSON.stringify(mountPath)} is a reserved path`, "mountPath"));
    } else if (!mountPath.startsWith("/")) {
      errors.push(fieldErrors.invalid(mountPath, "mountPath"));
    } else if (seen.has(mountPath)) {
      errors.push(fieldErrors.text(`${JSON.stringify(mountPath)} must be unique`, "mountPath"));
    }
    seen.add(mountPath);
    const isReadOnlyKind = ["secret", "configMap", "projected"].some(
      (source) => volume?.[source] !== undefined,
    );
    if (isReadOnlyKind && readOnly !== true) {
      errors.push(fieldErrors.text("volume mount should be readOnly for this type of volume", "readOnly"));
    }
    if (mountPropagation !== undefined && !context.hasFeature("podspec-volumes-mount-propagation")) {
      errors.push(fieldErrors.disallowed("mountPropagation"));
    }
    return under(`volumeMounts[${index}]`, errors);
  });
}

function validateSecurityContext(
  security: Readonly<Record<string, unknown>>,
  hasFeature: (name: string) => boolean,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (security.privileged === true) errors.push(fieldErrors.disallowed("securityContext.privileged"));
  for (const name of ["seLinuxOptions", "procMount", "windowsOptions"]) {
    if (security[name] !== undefined) errors.push(fieldErrors.disallowed(`securityContext.${name}`));
  }
  const { capabilities } = security;
  if (typeof capabilities === "object" && capabilities !== null && "add" in capabilities) {
    const added: readonly unknown[] = Array.isArray(capabilities.add) ? capabilities.add : [];
    const isPlain = added.every((capability) => capability === "NET_BIND_SERVICE");
    if (!isPlain && !hasFeature("containerspec-addcapabilities")) {
      errors.push(fieldErrors.disallowed("securityContext.capabilities.add"));
    }
  }
  for (const name of ["runAsUser", "runAsGroup"]) {
    const id = security[name];
    if (typeof id === "number" && (id < 0 || id > ID_MAX)) {
      errors.push(fieldErrors.range(id, [0, ID_MAX], `securityContext.${name}`));
    }
  }
  return errors;
}
