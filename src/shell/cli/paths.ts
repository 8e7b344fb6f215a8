// Where things are on every system, unless the command line says otherwise; what differs says the platform.
export const defaultRunDir = '/var/run/iotshaper';
export const defaultHomeDir = '/etc/iotshaper';
/** A server's. */
export const defaultEndpointDir = '/etc/iotshaper/endpoint';
