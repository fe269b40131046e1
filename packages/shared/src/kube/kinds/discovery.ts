import type { Kind, KubeObject } from "../object.ts";
import type { EndpointAddress, EndpointPort } from "./core.ts";

/** A part of a Service's endpoints, of one address family. */
export interface EndpointSlice extends KubeObject {
  readonly addressType: "IPv4" | "IPv6" | "FQDN";
  readonly endpoints: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: {
      readonly ready?: boolean;
      readonly serving?: boolean;
      readonly terminating?: boolean;
    };
    readonly nodeName?: string;
    readonly targetRef?: NonNullable<EndpointAddress["targetRef"]>;
  }[];
  readonly ports?: readonly EndpointPort[];
}

export const EndpointSliceKind: Kind<EndpointSlice> = {
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  isNamespaced: true,
  hasStatus: false,
};
