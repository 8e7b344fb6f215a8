// The page of Debian: LuCI's pages of this program, as they are, on parts of its own.
import './parts.js';
import './forms/widgets.js';
import './forms/form.js';
import controls from 'luci:iotshaper.controls';
import devices from 'luci:view.iotshaper.devices';
import overview from 'luci:view.iotshaper.overview';
import privacy from 'luci:view.iotshaper.privacy';
import schedule from 'luci:view.iotshaper.schedule';
import tunnel from 'luci:view.iotshaper.tunnel';

window.luciParts.start({ overview, devices, privacy, tunnel, schedule }, (errors) =>
  controls.configErrors({ config: { errors } }),
);
