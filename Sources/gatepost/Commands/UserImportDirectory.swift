import Gateway
import LDAP
import SASL

/// The search of `user import --ldap`, in the directory that `authentication.ldap` names.
struct UserImportDirectory {
    /// The time for the whole result, in seconds. A login waits less.
    private static let answerSeconds = 180
    /// The time for all servers, in seconds.
    private static let totalSeconds = 300
    /// The most octets of all names and values: 100,000 entries have about 20 MiB.
    private static let resultOctets = 256 * 1_024 * 1_024
    /// The login, the display name and the common name of each entry, and some more.
    private static let resultValues = 4 * UserImportRow.maximumCount
    /// The attributes with a person's name, the best first (RFC 2798 §2.3, RFC 4519 §2.3).
    private static let nameAttributes = ["displayName", "cn"]

    private let servers: DirectoryServers
    private let lookup: DirectorySettings.Search
    /// A filter (RFC 4515) that was parsed.
    private let filter: String

    /// - Parameters:
    ///   - settings: the directory of the configuration; nil if it has none.
    ///   - filter: a filter without placeholders.
    /// - Throws: ``Failure`` for a filter that is not valid, and a configuration without a search.
    init(_ settings: DirectorySettings?, filter: String) throws(Failure) {
        guard let settings else {
            throw Failure("no directory is configured: set authentication.ldap and its source ldap")
        }
        guard case .search(let lookup) = settings.lookup else {
            throw Failure(
                "authentication.ldap has bindAs, with which the directory is not searched: set "
                    + "base, filter, account and passwordFile instead"
            )
        }
        self.lookup = lookup
        self.filter = try Self.checked(filter)
        self.servers = DirectoryServers(
            servers: settings.servers.servers,
            limits: DirectoryLimits(
                connectSeconds: settings.servers.limits.connectSeconds,
                answerSeconds: Self.answerSeconds,
                resultOctets: Self.resultOctets,
                resultValues: Self.resultValues
            ),
            totalSeconds: Self.totalSeconds
        )
    }

    /// The filter as the parser writes it.
    static func checked(_ text: String) throws(Failure) -> String {
        do throws(DirectoryError) {
            let template = try DirectoryFilterTemplate(text)
            guard template.placeholders.isEmpty,
                let filter = template.filter(for: DirectoryLogin("none"))
            else { throw .failed("--ldap takes a filter without placeholders, such as (mail=*)") }
            return filter
        } catch {
            throw Failure(error.description)
        }
    }

    /// A row for each entry that matches the filter, in the order of the directory.
    /// - Throws: ``Failure`` if the directory gives no complete result.
    func rows() throws(Failure) -> [UserImportRow] {
        let account = self.lookup.account
        let search = DirectorySearch(
            base: self.lookup.base,
            scope: .subtree,
            filter: self.filter,
            attributes: Self.attributes(login: self.lookup.loginAttribute),
            maximumEntries: UserImportRow.maximumCount
        )
        let entries: [DirectoryEntry]
        do throws(DirectoryError) {
            entries = try self.servers.perform { connection throws(DirectoryError) in
                do throws(DirectoryError) {
                    try connection.bind(as: account.name, password: account.password.value)
                } catch .refused(let reason) {
                    throw .failed(
                        "the directory refuses the gateway's own account (authentication.ldap): "
                            + reason
                    )
                }
                return try connection.search(search)
            }
        } catch {
            throw Failure("the directory cannot be searched: \(error)")
        }
        return entries.enumerated().map { index, entry in
            let attribute = self.lookup.loginAttribute
            return Self.row(
                line: index + 1,
                entry: entry.name,
                logins: entry.values(of: attribute),
                name: Self.nameAttributes.lazy.compactMap { attribute in
                    entry.strings(of: attribute).first { !$0.isEmpty }
                }.first,
                attribute: attribute
            )
        }
    }

    /// The attributes to read, each once.
    private static func attributes(login: String) -> [String] {
        [login] + self.nameAttributes.filter { $0.lowercased() != login.lowercased() }
    }

    /// The row of an entry. An entry without one login has a problem, and its name for the login.
    /// - Parameters:
    ///   - line: the number of the entry.
    ///   - entry: its distinguished name.
    ///   - logins: the values of the login attribute.
    ///   - name: the display name.
    ///   - attribute: the login attribute.
    static func row(
        line: Int,
        entry: String,
        logins: [[UInt8]],
        name: String?,
        attribute: String
    ) -> UserImportRow {
        func problem(_ text: String) -> UserImportRow {
            UserImportRow(line: line, login: entry, name: name, problem: text)
        }
        guard let octets = logins.first else { return problem("the entry has no \(attribute)") }
        guard logins.count == 1 else {
            return problem("the entry has \(logins.count) values of \(attribute): leave one")
        }
        guard let login = String(validating: octets, as: UTF8.self), !octets.contains(0) else {
            return problem("the \(attribute) of the entry is no text")
        }
        return UserImportRow(line: line, login: login, name: name)
    }
}
