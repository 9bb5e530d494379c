import { expect, test } from 'vitest';
import { checkTidalId, InputError } from './inputError.ts';

test.each(['1', '77646168', '9'.repeat(20)])('%s can be an id of TIDAL', id => {
  expect(() => checkTidalId('tidalTrackId', id)).not.toThrow();
});

test.each(['', ' ', '12a', '-1', '1.5', '../1', '1\n', '9'.repeat(21), '１２'])('%j cannot', id => {
  expect(() => checkTidalId('tidalTrackId', id)).toThrow(InputError);
});
