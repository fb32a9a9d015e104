//! The server's configuration options: what there are, between which values, and which need a restart.
//!
//! Does not know who may change them.

use super::state::Server;

/// A row of sys.configurations as the product has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) id: i64,
    pub(crate) name: &'static str,
    pub(crate) default: i64,
    pub(crate) minimum: i64,
    pub(crate) maximum: i64,
    /// Takes effect with RECONFIGURE.
    pub(crate) dynamic: bool,
    /// Seen only under `show advanced options`.
    pub(crate) advanced: bool,
    pub(crate) description: &'static str,
}

const MOST: i64 = 2_147_483_647;
const LEAST: i64 = -2_147_483_648;
/// How an option is: advanced and dynamic, and so on.
const PLAIN: (bool, bool) = (true, false);
const STATIC: (bool, bool) = (false, false);
const ADVANCED: (bool, bool) = (true, true);
const RESTART: (bool, bool) = (false, true);

type Row = (i64, &'static str, [i64; 3], (bool, bool), u16, &'static str);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (101, "recovery interval (min)", [0, 0, 32_767], ADVANCED, 0, "Maximum recovery interval in minutes"),
    (102, "allow updates", [0, 0, 1], PLAIN, 0, "Allow updates to system tables"),
    (103, "user connections", [0, 0, 32_767], RESTART, 0, "Number of user connections allowed"),
    (106, "locks", [0, 5000, MOST], RESTART, 0, "Number of locks for all users"),
    (107, "open objects", [0, 0, MOST], RESTART, 0, "Number of open database objects"),
    (109, "fill factor (%)", [0, 0, 100], RESTART, 0, "Default fill factor percentage"),
    (114, "disallow results from triggers", [0, 0, 1], ADVANCED, 0, "Disallow returning results from triggers"),
    (115, "nested triggers", [1, 0, 1], PLAIN, 0, "Allow triggers to be invoked within triggers"),
    (116, "server trigger recursion", [1, 0, 1], PLAIN, 0, "Allow recursion for server level triggers"),
    (117, "remote access", [1, 0, 1], STATIC, 0, "Allow remote access"),
    (124, "default language", [0, 0, 9999], PLAIN, 0, "default language"),
    (400, "cross db ownership chaining", [0, 0, 1], PLAIN, 0, "Allow cross db ownership chaining"),
    (503, "max worker threads", [0, 128, 65_535], ADVANCED, 0, "Maximum worker threads"),
    (505, "network packet size (B)", [4096, 512, 32_767], ADVANCED, 0, "Network packet size"),
    (518, "show advanced options", [0, 0, 1], PLAIN, 0, "show advanced options"),
    (542, "remote proc trans", [0, 0, 1], PLAIN, 0, "Create DTC transaction for remote procedures"),
    (544, "c2 audit mode", [0, 0, 1], RESTART, 0, "c2 audit mode"),
    (1126, "default full-text language", [1033, 0, MOST], ADVANCED, 0, "default full-text language"),
    (1127, "two digit year cutoff", [2049, 1753, 9999], ADVANCED, 0, "two digit year cutoff"),
    (1505, "index create memory (KB)", [0, 704, MOST], ADVANCED, 0, "Memory for index create sorts (kBytes)"),
    (1517, "priority boost", [0, 0, 1], RESTART, 0, "Priority boost"),
    (1519, "remote login timeout (s)", [10, 0, MOST], PLAIN, 0, "remote login timeout"),
    (1520, "remote query timeout (s)", [600, 0, MOST], PLAIN, 0, "remote query timeout"),
    (1531, "cursor threshold", [-1, -1, MOST], ADVANCED, 0, "cursor threshold"),
    (1532, "set working set size", [0, 0, 1], RESTART, 0, "set working set size"),
    (1534, "user options", [0, 0, 32_767], PLAIN, 0, "user options"),
    (1535, "affinity mask", [0, LEAST, MOST], ADVANCED, 0, "affinity mask"),
    (1536, "max text repl size (B)", [65_536, -1, MOST], PLAIN, 0, "Maximum size of a text field in replication."),
    (1537, "media retention", [0, 0, 365], ADVANCED, 0, "Tape retention period in days"),
    (1538, "cost threshold for parallelism", [5, 0, 32_767], ADVANCED, 0, "cost threshold for parallelism"),
    (1539, "max degree of parallelism", [0, 0, 32_767], ADVANCED, 0, "maximum degree of parallelism"),
    (1540, "min memory per query (KB)", [1024, 512, MOST], ADVANCED, 0, "minimum memory per query (kBytes)"),
    (1541, "query wait (s)", [-1, -1, MOST], ADVANCED, 0, "maximum time to wait for query memory (s)"),
    (1543, "min server memory (MB)", [0, 0, MOST], ADVANCED, 0, "Minimum size of server memory (MB)"),
    (1544, "max server memory (MB)", [MOST, 128, MOST], ADVANCED, 0, "Maximum size of server memory (MB)"),
    (1545, "query governor cost limit", [0, 0, MOST], ADVANCED, 0, "Maximum estimated cost allowed by query governor"),
    (1546, "lightweight pooling", [0, 0, 1], RESTART, 0, "User mode scheduler uses lightweight pooling"),
    (1547, "scan for startup procs", [0, 0, 1], RESTART, 0, "scan for startup stored procedures"),
    (1549, "affinity64 mask", [0, LEAST, MOST], ADVANCED, 0, "affinity64 mask"),
    (1550, "affinity I/O mask", [0, LEAST, MOST], RESTART, 0, "affinity I/O mask"),
    (1551, "affinity64 I/O mask", [0, LEAST, MOST], RESTART, 0, "affinity64 I/O mask"),
    (1555, "transform noise words", [0, 0, 1], ADVANCED, 0, "Transform noise words for full-text query"),
    (1556, "precompute rank", [0, 0, 1], ADVANCED, 0, "Use precomputed rank for full-text query"),
    (1557, "PH timeout (s)", [60, 1, 3600], ADVANCED, 0, "DB connection timeout for full-text protocol handler (s)"),
    (1562, "clr enabled", [0, 0, 1], PLAIN, 0, "CLR user code execution enabled in the server"),
    (1563, "max full-text crawl range", [4, 0, 256], ADVANCED, 0, "Maximum  crawl ranges allowed in full-text indexing"),
    (1564, "ft notify bandwidth (min)", [0, 0, 32_767], ADVANCED, 0, "Number of reserved full-text notifications buffers"),
    (1565, "ft notify bandwidth (max)", [100, 0, 32_767], ADVANCED, 0, "Max number of full-text notifications buffers"),
    (1566, "ft crawl bandwidth (min)", [0, 0, 32_767], ADVANCED, 0, "Number of reserved full-text crawl buffers"),
    (1567, "ft crawl bandwidth (max)", [100, 0, 32_767], ADVANCED, 0, "Max number of full-text crawl buffers"),
    (1568, "default trace enabled", [1, 0, 1], ADVANCED, 0, "Enable or disable the default trace"),
    (1569, "blocked process threshold (s)", [0, 0, 86_400], ADVANCED, 0, "Blocked process reporting threshold"),
    (1570, "in-doubt xact resolution", [0, 0, 2], ADVANCED, 0, "Recovery policy for DTC transactions with unknown outcome"),
    (1576, "remote admin connections", [0, 0, 1], PLAIN, 0, "Dedicated Admin Connections are allowed from remote clients"),
    (1577, "common criteria compliance enabled", [0, 0, 1], RESTART, 0, "Common Criteria compliance mode enabled"),
    (1578, "EKM provider enabled", [0, 0, 1], ADVANCED, 0, "Enable or disable EKM provider"),
    (1579, "backup compression default", [0, 0, 1], PLAIN, 0, "Enable compression of backups by default"),
    (1580, "filestream access level", [0, 0, 2], PLAIN, 0, "Sets the FILESTREAM access level"),
    (1581, "optimize for ad hoc workloads", [0, 0, 1], ADVANCED, 0, "When this option is set, plan cache size is further reduced for single-use adhoc OLTP workload."),
    (1582, "access check cache bucket count", [0, 0, 65_536], ADVANCED, 0, "Default hash bucket count for the access check result security cache"),
    (1583, "access check cache quota", [0, 0, MOST], ADVANCED, 0, "Default quota for the access check result security cache"),
    (1584, "backup checksum default", [0, 0, 1], PLAIN, 2014, "Enable checksum of backups by default"),
    (1585, "automatic soft-NUMA disabled", [0, 0, 1], RESTART, 2016, "Automatic soft-NUMA is enabled by default"),
    (1586, "external scripts enabled", [0, 0, 1], PLAIN, 2016, "Allows execution of external scripts"),
    (1587, "clr strict security", [1, 0, 1], ADVANCED, 2017, "CLR strict security enabled in the server"),
    (1588, "column encryption enclave type", [0, 0, 2], STATIC, 2019, "Type of enclave used for computations on encrypted columns"),
    (1589, "tempdb metadata memory-optimized", [0, 0, 1], RESTART, 2019, "Tempdb metadata memory-optimized is disabled by default."),
    (1591, "ADR cleaner retry timeout (min)", [15, 0, 32_767], ADVANCED, 2019, "ADR cleaner retry timeout."),
    (1592, "ADR Preallocation Factor", [4, 0, 32_767], ADVANCED, 2019, "ADR Preallocation Factor."),
    (1598, "ADR Cleaner Thread Count", [1, 1, 32_767], ADVANCED, 2022, "Max number of threads ADR cleaner can assign."),
    (1599, "hardware offload enabled", [0, 0, 1], RESTART, 2022, "Enable hardware offloading on the server"),
    (1602, "backup compression algorithm", [0, 0, 2], PLAIN, 2022, "Configure default backup compression algorithm"),
    (16384, "Agent XPs", [0, 0, 1], ADVANCED, 0, "Enable or disable Agent XPs"),
    (16386, "Database Mail XPs", [0, 0, 1], ADVANCED, 0, "Enable or disable Database Mail XPs"),
    (16387, "SMO and DMO XPs", [1, 0, 1], ADVANCED, 0, "Enable or disable SMO and DMO XPs"),
    (16388, "Ole Automation Procedures", [0, 0, 1], ADVANCED, 0, "Enable or disable Ole Automation Procedures"),
    (16390, "xp_cmdshell", [0, 0, 1], ADVANCED, 0, "Enable or disable command shell"),
    (16391, "Ad Hoc Distributed Queries", [0, 0, 1], ADVANCED, 0, "Enable or disable Ad Hoc Distributed Queries"),
    (16392, "Replication XPs", [0, 0, 1], ADVANCED, 0, "Enable or disable Replication XPs"),
    (16393, "contained database authentication", [0, 0, 1], PLAIN, 0, "Enables contained databases and contained authentication"),
    (16394, "hadoop connectivity", [0, 0, 7], STATIC, 2016, "Configure SQL Server to connect to external Hadoop or Microsoft Azure storage blob data sources through PolyBase"),
    (16395, "polybase network encryption", [1, 0, 1], STATIC, 2016, "Configure SQL Server to encrypt control and data channels when using PolyBase"),
    (16396, "remote data archive", [0, 0, 1], PLAIN, 2016, "Allow the use of the REMOTE_DATA_ARCHIVE data access for databases"),
    (16397, "allow polybase export", [0, 0, 1], PLAIN, 2016, "Allow INSERT into a Hadoop external table"),
    (16398, "allow filesystem enumeration", [1, 0, 1], ADVANCED, 2017, "Allow enumeration of filesystem"),
    (16399, "polybase enabled", [0, 0, 1], STATIC, 2019, "Configure SQL Server to connect to external data sources through PolyBase"),
];

/// The options of a product of `year`, by number.
pub(crate) fn settings(year: u16) -> impl Iterator<Item = Setting> {
    ROWS.iter().filter(move |row| row.4 <= year).map(move |row| Setting {
        id: row.0,
        name: row.1,
        default: row.2[0],
        minimum: row.2[1],
        // ZSTD came with 2025.
        maximum: if row.0 == 1602 && year >= 2025 { 3 } else { row.2[2] },
        dynamic: row.3.0,
        advanced: row.3.1,
        description: row.5,
    })
}

impl Server {
    /// The value an option has now.
    pub(crate) fn in_use(&self, setting: &Setting) -> i64 {
        self.options.get(setting.name).copied().unwrap_or(setting.default)
    }

    /// The value it was told to have.
    pub(crate) fn configured(&self, setting: &Setting) -> i64 {
        self.configured.get(setting.name).copied().unwrap_or_else(|| self.in_use(setting))
    }

    /// RECONFIGURE: what can take effect at once does.
    pub(crate) fn reconfigure(&mut self) {
        let year = self.year();
        for setting in settings(year).filter(|s| s.dynamic) {
            if let Some(value) = self.configured.remove(setting.name) {
                self.options.insert(setting.name.to_owned(), value);
            }
        }
    }
}
