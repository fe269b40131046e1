/**
 * `spec.nodeName` of every pod that runs in this home: the one node there is. The API gives a pod time to end only
 * when it is on a node.
 */
export const NODE_NAME = "rouse";
