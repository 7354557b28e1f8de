// SPDX-License-Identifier: MIT
// Fetches a URL whole, or fails.

const url = process.argv[2];

function fail(error)
{
	console.error(error.message);
	process.exit(1);
}

require(url.startsWith('https') ? 'https' : 'http').get(url, (reply) => {
	reply.on('error', fail).resume();
}).on('error', fail);
