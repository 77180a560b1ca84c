/// A key that `gatepost.yaml` may contain.
package struct ConfigurationKey: Sendable {
    /// What YAML has for the value of a key.
    package enum Shape: Sendable {
        /// A text, a number or a word.
        case scalar
        /// A list of texts.
        case list
        /// A group of keys.
        case group
    }

    /// The key with the name of its group, such as `limits.loginSeconds`.
    package let path: String
    /// The only shape that the value may have.
    package let shape: Shape

    /// All keys. A key that is not here is refused when a configuration is read.
    package static let all: [ConfigurationKey] =
        Self.groups.map { ConfigurationKey(path: $0, shape: .group) }
        + Self.lists.map { ConfigurationKey(path: $0, shape: .list) }
        + Self.scalars.map { ConfigurationKey(path: $0, shape: .scalar) }

    private static let groups = [
        "listen", "tls", "log", "limits", "exchange", "authentication",
        "authentication.ldap",
    ]

    private static let lists = [
        "tls.certificates", "tls.keys", "exchange.mailDomains", "authentication.sources",
        "authentication.domains", "authentication.issuers", "authentication.ldap.servers",
    ]

    private static let scalars =
        [
            "store", "node", "state", "masterKey", "user", "threads", "hostName", "audit",
            "auditDays", "consent", "subscribeShared", "keepLogins", "log.level",
            "authentication.learn",
        ] + Listener.Kind.allCases.map { "listen.\($0.rawValue)" }
        + [
            "connectionsPerAddress", "connectionsPerUser", "loginSeconds", "idleMinutes",
            "upstreamSeconds", "listSeconds", "listConnections", "folderListSeconds",
            "upstreamAnswerSeconds", "upstreamWorkSeconds", "upstreamTransferSeconds",
            "drainSeconds", "settleSeconds", "messageMebibytes", "messageSeconds",
            "recipientsPerMessage", "messagesPerHour", "recipientsPerHour", "stallMilliseconds",
        ].map { "limits.\($0)" }
        + [
            "tenant", "application", "secretFile", "certificate", "certificateKey", "cloud",
            "loginURL", "exchangeURL", "caFile",
        ].map { "exchange.\($0)" }
        + [
            "caFile", "bindAs", "base", "filter", "loginAttribute", "account", "passwordFile",
            "groupBase", "groupMinutes",
        ].map { "authentication.ldap.\($0)" }

    /// The key that somebody who wrote `path` most probably meant.
    ///
    /// A name in the wrong group is found by its last part. Groups and keys are compared alike.
    package static func nearest(to path: String) -> String {
        func name(_ path: String) -> Substring { path.split(separator: ".").last ?? "" }
        func distance(_ key: String) -> Int {
            min(
                Self.distance(from: path, to: key),
                // Of two equally distant keys, the one in the group that was written is nearer.
                Self.distance(from: String(name(path)), to: String(name(key))) + 1
            )
        }
        let distances = Self.all.map { (path: $0.path, distance: distance($0.path)) }
        return distances.min { $0.distance < $1.distance }?.path ?? ""
    }

    /// The number of letters to insert, remove, replace or exchange with their neighbour; case does
    /// not count (optimal string alignment).
    private static func distance(from one: String, to other: String) -> Int {
        let (one, other) = (Array(one.lowercased().utf8), Array(other.lowercased().utf8))
        var rows = [Array(0...other.count)]
        for row in 0..<one.count {
            var next = [row + 1]
            for column in 0..<other.count {
                let isSame = one[row] == other[column]
                var best = min(
                    rows[row][column] + (isSame ? 0 : 1),
                    min(next[column], rows[row][column + 1]) + 1
                )
                if row > 0, column > 0, one[row] == other[column - 1],
                    one[row - 1] == other[column]
                {
                    best = min(best, rows[row - 1][column - 1] + 1)
                }
                next.append(best)
            }
            rows.append(next)
        }
        return rows[one.count][other.count]
    }
}
