import {
  annotations,
  childName,
  controllerOf,
  type DomainMapping,
  headers,
  type Ingress,
  ports,
  type Stored,
} from "@rouse/shared";
import { keys, without } from "../metadata-keys.ts";

/** What a domain is mapped to: a name within the cluster. */
export interface DomainTarget {
  readonly host: string;
  readonly serviceName: string;
}

/**
 * The KIngress of a DomainMapping: everything goes to the target under the target's own name, so that it is routed
 * again as if it had been called by that; the name it was called by travels beside it, and queue-proxy puts it back.
 * C-129
 */
export function makeDomainIngress(
  mapping: Stored<DomainMapping>,
  target: DomainTarget,
  options: { readonly ingressClass: string; readonly httpOption: "Enabled" | "Redirected" | undefined },
): Ingress {
  const { name, namespace, uid } = mapping.metadata;
  const own = mapping.metadata.annotations;
  const { tls } = mapping.spec;
  return {
    apiVersion: "networking.internal.knative.dev/v1alpha1",
    kind: "Ingress",
    metadata: {
      name: childName(name, ""),
      namespace,
      labels: {
        ...mapping.metadata.labels,
        [keys.domainMappingUid]: uid,
        [keys.domainMappingNamespace]: namespace,
      },
      annotations: without(
        { [annotations.ingressClass]: own?.[keys.ingressClassOld] ?? options.ingressClass, ...own },
        [annotations.lastApplied, keys.ingressClassOld, keys.certificateClassOld],
      ),
      ownerReferences: [controllerOf(mapping)],
    },
    spec: {
      rules: [
        {
          hosts: [name],
          visibility: "ExternalIP",
          http: {
            paths: [
              {
                rewriteHost: target.host,
                splits: [
                  {
                    serviceNamespace: namespace,
                    serviceName: target.serviceName,
                    servicePort: ports.serviceHttp,
                    percent: 100,
                    appendHeaders: { [headers.originalHost]: name },
                  },
                ],
              },
            ],
          },
        },
      ],
      ...(tls === undefined
        ? {}
        : { tls: [{ hosts: [name], secretName: tls.secretName, secretNamespace: namespace }] }),
      ...(options.httpOption === undefined ? {} : { httpOption: options.httpOption }),
    },
  };
}
