'use strict';
// Users as the account knows them, and the tokens made for them.

const { addCase, equal, refused } = require('./runner');
const { AWKWARD_USER, READER } = require('./world');

addCase('getUser', 'answers a user whom a record names, 404 for nobody', async world => {
  for (const user of ['known-user', AWKWARD_USER]) {
    await world.give(user, [READER], '/docs/known');
    equal((await world.owner.users.getUser(user)).data.userId, user, 'the user id');
  }
  await refused(404, world.owner.users.getUser('never-seen'));
  await refused(404, (await world.person('stranger')).users.getUser('known-user'));
});
