// What knows configurations and serves a home: a part of the program of its own, read when a command needs it.
export { parseConfig } from '../../core/config/config.ts';
export { sections } from '../../core/config/options/options.ts';
export { parseUci } from '../../core/config/uci/uci.ts';
export { renderUciFile } from '../../core/config/uci/uci-writer.ts';
export { scheduleShares } from '../../core/cost/shares.ts';
export { renderConfigStatus } from '../../core/home/answers.ts';
export { findingsOf, findingsWithout } from '../../core/home/examination.ts';
export { wordsOf } from '../../core/notices/words.ts';
export { planExample } from '../../core/plan/example.ts';
export { readConfigFile } from '../config/config-file.ts';
export { profilePath, readGoodConfig } from '../home/config-source.ts';
export { HouseReader, NETWORKS_FILE } from '../network/house-reader.ts';
export { interfaceReader } from '../network/interfaces.ts';
export { checkNft } from '../network/nft.ts';
export { judgeProfile, storeProfile } from '../openvpn/profile-file.ts';
export { printFindings } from './findings.ts';
export { runService } from './run/run.ts';
export { exportUci } from './uci-export.ts';
