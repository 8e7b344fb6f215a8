// Where things are, unless the command line says otherwise.
export { configPath as defaultConfigPath } from '../config/config-file.ts';
export { defaultStateDir as defaultEndpointDir } from '../endpoint/store.ts';

export const defaultRunDir = '/var/run/iotshaper';
export const defaultHomeDir = '/etc/iotshaper';
