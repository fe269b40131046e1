import { controllerOf, labels, type Route, type Service, type Stored } from "@rouse/shared";
import { without } from "../metadata-keys.ts";

/**
 * A Service that holds the name of a route, or of one of its tags, and a user's wish for that name's visibility.
 * Nothing is sent through it here: the gateway finds routes by host. C-79, C-82.
 */
export function makePlaceholder(
  route: Stored<Route>,
  options: { readonly name: string; readonly externalName: string },
): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: options.name,
      namespace: route.metadata.namespace,
      labels: { ...without(route.metadata.labels, [labels.visibility]), [labels.route]: route.metadata.name },
      annotations: { ...route.metadata.annotations },
      ownerReferences: [controllerOf(route)],
    },
    spec: {
      type: "ExternalName",
      externalName: options.externalName,
      sessionAffinity: "None",
      ports: [{ name: "http2", protocol: "TCP", appProtocol: "kubernetes.io/h2c", port: 80, targetPort: 80 }],
    },
  };
}
