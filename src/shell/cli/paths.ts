// Where things are, unless the command line says otherwise.
export const defaultConfigPath = '/etc/config/iotshaper';
/** ubusd's; before OpenWrt 21.02 it was `/var/run/ubus.sock`. */
export const defaultUbusSocket = '/var/run/ubus/ubus.sock';
export const defaultRunDir = '/var/run/iotshaper';
export const defaultHomeDir = '/etc/iotshaper';
/** A server's. */
export const defaultEndpointDir = '/etc/iotshaper/endpoint';
