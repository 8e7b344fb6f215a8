// Where things are, unless the command line says otherwise.
export const defaultRunDir = '/var/run/iotshaper';
export const defaultHomeDir = '/etc/iotshaper';
