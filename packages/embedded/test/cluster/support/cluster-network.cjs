// Loaded before a program of a test's cluster: names of Services lead to the test's own proxy, which goes by Host.
const { Socket } = require("node:net");
const { CLUSTER_PROXY = "" } = process.env;
const [host, port] = CLUSTER_PROXY.split(":");
const { connect } = Socket.prototype;

Socket.prototype.connect = function connectInCluster(...given) {
  const options = Array.isArray(given[0]) ? given[0][0] : given[0];
  if (typeof options?.host === "string" && options.host.endsWith(".svc.cluster.local")) {
    options.host = host;
    options.port = Number(port);
  }
  return connect.apply(this, given);
};
