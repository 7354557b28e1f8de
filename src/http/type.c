/* SPDX-License-Identifier: MIT */
/*
 * The media types of what a web site or a developer's folder holds, registered
 * names where there are any. Called by the site. Makes no system call, looks
 * into no file.
 *
 * Of all types only text/ carries a charset: JSON has no such parameter
 * (RFC 8259 section 11), and XML, with it SVG, RSS and Atom, says in its own
 * first line what a charset here would overrule (RFC 7303 section 3).
 * Sources and settings are text/plain, so that a browser shows them, even
 * where a type is registered; those who want it give it in `more`. Most need
 * no row here: what is not in the table and looks like text is text.
 */
#include "http/type.h"

#include <string.h>

#include "base/text.h"

#define TEXT(type) type "; charset=utf-8"
#define OFFICE(type) "application/vnd.openxmlformats-officedocument." type

/* Sorted by extension, in bytes. */
static const struct retort_type types[] = {
	{"3gp", "video/3gpp"},
	{"7z", "application/x-7z-compressed"},
	{"aac", "audio/aac"},
	{"ai", "application/postscript"},
	{"aif", "audio/aiff"},
	{"aiff", "audio/aiff"},
	{"apk", "application/vnd.android.package-archive"},
	{"apng", "image/apng"},
	{"appcache", TEXT("text/cache-manifest")},
	{"atom", "application/atom+xml"},
	{"avi", "video/x-msvideo"},
	{"avif", "image/avif"},
	{"bash", TEXT("text/plain")},
	{"bat", TEXT("text/plain")},
	{"bin", "application/octet-stream"},
	{"bmp", "image/bmp"},
	{"br", "application/x-brotli"},
	{"bz2", "application/x-bzip2"},
	{"c", TEXT("text/plain")},
	{"cbor", "application/cbor"},
	{"cc", TEXT("text/plain")},
	{"cfg", TEXT("text/plain")},
	{"cjs", TEXT("text/javascript")},
	{"conf", TEXT("text/plain")},
	{"cpp", TEXT("text/plain")},
	{"cs", TEXT("text/plain")},
	{"css", TEXT("text/css")},
	{"csv", TEXT("text/csv")},
	{"cur", "image/vnd.microsoft.icon"},
	{"cxx", TEXT("text/plain")},
	{"dart", TEXT("text/plain")},
	{"deb", "application/vnd.debian.binary-package"},
	{"diff", TEXT("text/plain")},
	{"dll", "application/vnd.microsoft.portable-executable"},
	{"dmg", "application/x-apple-diskimage"},
	{"doc", "application/msword"},
	{"docx", OFFICE("wordprocessingml.document")},
	{"dtd", "application/xml-dtd"},
	{"eot", "application/vnd.ms-fontobject"},
	{"eps", "application/postscript"},
	{"epub", "application/epub+zip"},
	{"exe", "application/vnd.microsoft.portable-executable"},
	{"flac", "audio/flac"},
	{"flv", "video/x-flv"},
	{"geojson", "application/geo+json"},
	{"gif", "image/gif"},
	{"glb", "model/gltf-binary"},
	{"gltf", "model/gltf+json"},
	{"go", TEXT("text/plain")},
	{"gpx", "application/gpx+xml"},
	{"gradle", TEXT("text/plain")},
	{"gz", "application/gzip"},
	{"h", TEXT("text/plain")},
	{"har", "application/json"},
	{"heic", "image/heic"},
	{"heif", "image/heif"},
	{"hh", TEXT("text/plain")},
	{"hpp", TEXT("text/plain")},
	{"htm", TEXT("text/html")},
	{"html", TEXT("text/html")},
	{"ico", "image/vnd.microsoft.icon"},
	{"ics", TEXT("text/calendar")},
	{"ini", TEXT("text/plain")},
	{"ipynb", "application/x-ipynb+json"},
	{"iso", "application/x-iso9660-image"},
	{"jar", "application/java-archive"},
	{"java", TEXT("text/plain")},
	{"jfif", "image/jpeg"},
	{"jpeg", "image/jpeg"},
	{"jpg", "image/jpeg"},
	{"js", TEXT("text/javascript")},
	{"json", "application/json"},
	{"jsonl", "application/jsonl"},
	{"jsonld", "application/ld+json"},
	{"jsx", TEXT("text/plain")},
	{"jxl", "image/jxl"},
	{"kml", "application/vnd.google-earth.kml+xml"},
	{"kmz", "application/vnd.google-earth.kmz"},
	{"kt", TEXT("text/plain")},
	{"kts", TEXT("text/plain")},
	{"ktx2", "image/ktx2"},
	{"less", TEXT("text/plain")},
	{"log", TEXT("text/plain")},
	{"lua", TEXT("text/plain")},
	{"m3u8", "application/vnd.apple.mpegurl"},
	{"m4a", "audio/mp4"},
	{"m4b", "audio/mp4"},
	{"m4s", "video/iso.segment"},
	{"m4v", "video/mp4"},
	{"manifest", TEXT("text/cache-manifest")},
	{"map", "application/json"},
	{"markdown", TEXT("text/markdown")},
	{"mathml", "application/mathml+xml"},
	{"md", TEXT("text/markdown")},
	{"mdx", TEXT("text/markdown")},
	{"mid", "audio/midi"},
	{"midi", "audio/midi"},
	{"mjs", TEXT("text/javascript")},
	{"mka", "audio/matroska"},
	{"mkv", "video/matroska"},
	{"mov", "video/quicktime"},
	{"mp3", "audio/mpeg"},
	{"mp4", "video/mp4"},
	{"mpd", "application/dash+xml"},
	{"mpeg", "video/mpeg"},
	{"mpg", "video/mpeg"},
	{"msgpack", "application/vnd.msgpack"},
	{"msi", "application/x-msi"},
	{"ndjson", "application/x-ndjson"},
	{"obj", "model/obj"},
	{"odg", "application/vnd.oasis.opendocument.graphics"},
	{"odp", "application/vnd.oasis.opendocument.presentation"},
	{"ods", "application/vnd.oasis.opendocument.spreadsheet"},
	{"odt", "application/vnd.oasis.opendocument.text"},
	{"oga", "audio/ogg"},
	{"ogg", "audio/ogg"},
	{"ogv", "video/ogg"},
	{"opus", "audio/ogg"},
	{"otf", "font/otf"},
	{"parquet", "application/vnd.apache.parquet"},
	{"patch", TEXT("text/plain")},
	{"pdf", "application/pdf"},
	{"php", TEXT("text/plain")},
	{"pl", TEXT("text/plain")},
	{"png", "image/png"},
	{"ppt", "application/vnd.ms-powerpoint"},
	{"pptx", OFFICE("presentationml.presentation")},
	{"properties", TEXT("text/plain")},
	{"ps", "application/postscript"},
	{"ps1", TEXT("text/plain")},
	{"psd", "image/vnd.adobe.photoshop"},
	{"py", TEXT("text/plain")},
	{"rar", "application/vnd.rar"},
	{"rb", TEXT("text/plain")},
	{"rpm", "application/x-rpm"},
	{"rs", TEXT("text/plain")},
	{"rss", "application/rss+xml"},
	{"rst", TEXT("text/plain")},
	{"rtf", "application/rtf"},
	{"scss", TEXT("text/plain")},
	{"sh", TEXT("text/plain")},
	{"shtml", TEXT("text/html")},
	{"sql", TEXT("text/plain")},
	{"sqlite", "application/vnd.sqlite3"},
	{"sqlite3", "application/vnd.sqlite3"},
	{"srt", "application/x-subrip"},
	{"stl", "model/stl"},
	{"svg", "image/svg+xml"},
	{"svgz", "application/gzip"},
	{"swift", TEXT("text/plain")},
	{"tar", "application/x-tar"},
	{"tbz2", "application/x-bzip2"},
	{"tex", TEXT("text/plain")},
	{"text", TEXT("text/plain")},
	{"tgz", "application/gzip"},
	{"tif", "image/tiff"},
	{"tiff", "image/tiff"},
	{"toml", TEXT("text/plain")},
	{"topojson", "application/json"},
	{"torrent", "application/x-bittorrent"},
	{"ts", "video/mp2t"},
	{"tsv", TEXT("text/tab-separated-values")},
	{"tsx", TEXT("text/plain")},
	{"ttc", "font/collection"},
	{"ttf", "font/ttf"},
	{"ttl", TEXT("text/turtle")},
	{"txt", TEXT("text/plain")},
	{"txz", "application/x-xz"},
	{"usdz", "model/vnd.usdz+zip"},
	{"vcf", TEXT("text/vcard")},
	{"vtt", TEXT("text/vtt")},
	{"vue", TEXT("text/plain")},
	{"war", "application/java-archive"},
	{"wasm", "application/wasm"},
	{"wav", "audio/wav"},
	{"weba", "audio/webm"},
	{"webm", "video/webm"},
	{"webmanifest", "application/manifest+json"},
	{"webp", "image/webp"},
	{"wgsl", TEXT("text/wgsl")},
	{"whl", "application/zip"},
	{"wmv", "video/x-ms-wmv"},
	{"woff", "font/woff"},
	{"woff2", "font/woff2"},
	{"xht", "application/xhtml+xml"},
	{"xhtml", "application/xhtml+xml"},
	{"xls", "application/vnd.ms-excel"},
	{"xlsx", OFFICE("spreadsheetml.sheet")},
	{"xml", "application/xml"},
	{"xpi", "application/x-xpinstall"},
	{"xsd", "application/xml"},
	{"xsl", "application/xslt+xml"},
	{"xslt", "application/xslt+xml"},
	{"xz", "application/x-xz"},
	{"yaml", TEXT("text/plain")},
	{"yml", TEXT("text/plain")},
	{"zip", "application/zip"},
	{"zst", "application/zstd"},
};

#define TYPES (sizeof types / sizeof types[0])

/* Of sources as well. */
static const char *const ambiguous[] = {"ts"};

#define AMBIGUOUS (sizeof ambiguous / sizeof *ambiguous)

/* The extension without its dot: "" if there is none. */
static const char *
extension_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot == NULL || dot == name ? "" : dot + 1;
}

/* The longest of `more` that the name ends with; of two the last. NULL. */
static const struct retort_type *
best_of(const char *name, const struct retort_type *more, size_t count)
{
	size_t size = strlen(name), longest = 0;
	const struct retort_type *best = NULL;

	for (; count > 0; count--, more++) {
		size_t own = strlen(more->extension);

		if (own == 0 ? *extension_of(name) == '\0' :
			       own + 1 < size && own >= longest &&
					name[size - own - 1] == '.' &&
					rt_caseless(name + size - own, own,
						more->extension)) {
			best = more;
			longest = own;
		}
	}
	return best;
}

static const char *
name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* The type in the table, or NULL. */
static const char *
look_up(const char *extension)
{
	size_t low = 0, high = TYPES, size = strlen(extension);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = rt_caseless_order(extension, size,
			types[middle].extension);

		if (order == 0)
			return types[middle].type;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const char *
rt_type_of(const char *path, const struct retort_type *more, size_t count)
{
	const char *name = name_of(path), *type;
	const struct retort_type *best = best_of(name, more, count);

	if (best != NULL)
		return best->type;
	type = look_up(extension_of(name));
	return type != NULL ? type : RT_TYPE_UNKNOWN;
}

const char *
rt_type_find(const char *path, const struct retort_type *more, size_t count)
{
	const char *name = name_of(path), *extension = extension_of(name);
	const struct retort_type *best = best_of(name, more, count);

	if (best != NULL)
		return best->type;
	for (size_t i = 0; i < AMBIGUOUS; i++)
		if (rt_caseless(extension, strlen(extension), ambiguous[i]))
			return NULL;
	return look_up(extension);
}

const char *
rt_type_by_content(const char *path, const void *bytes, size_t size)
{
	return size > 0 && memchr(bytes, '\0', size) != NULL ?
		rt_type_of(path, NULL, 0) :
		RT_TYPE_TEXT;
}

const struct retort_type *
rt_type_table(size_t *count)
{
	*count = TYPES;
	return types;
}
