import Access
import Foundation
import Gateway
import Store

/// Makes entries for the store from the rows of an import, by the rules of `account add`.
struct UserImportEntries {
    /// The settings of accounts whose rows have none.
    private let defaults: UserImportAccount
    private let username: UsernameTemplate?
    /// The absolute paths of CA files, or why one is unusable. Most rows name the same file.
    private var caFiles: [String: Result<String, Failure>] = [:]

    init(defaults: UserImportAccount) {
        self.defaults = defaults
        self.username = defaults.username.flatMap(UsernameTemplate.init)
    }

    /// The entry of a row.
    /// - Throws: ``Failure`` for a value that is wrong.
    mutating func entry(of row: UserImportRow) throws(Failure) -> UserImportEntry {
        if let problem = row.problem { throw Failure(problem) }
        guard !row.login.isEmpty else { throw Failure("no login") }
        return UserImportEntry(row.login, name: row.name, account: try self.account(of: row))
    }

    /// - Returns: nil for a row that adds a user alone.
    private mutating func account(
        of row: UserImportRow
    ) throws(Failure) -> UserImportEntry.Account? {
        let own = row.account
        guard let imap = own.imap ?? self.defaults.imap else {
            guard own == UserImportAccount() else {
                throw Failure("an account needs imap: set it, or leave its other columns empty")
            }
            return nil
        }
        guard let security = Endpoint.Security(rawValue: own.tls ?? self.defaults.tls ?? "implicit")
        else { throw Failure("tls must be implicit, starttls or none") }
        let isImplicit = security == .implicit
        var account = UserImportEntry.Account(
            imap: try Self.server(imap, security: security, port: isImplicit ? 993 : 143)
        )
        if let smtp = own.smtp ?? self.defaults.smtp {
            account.smtp = try Self.server(smtp, security: security, port: isImplicit ? 465 : 587)
        }
        if let ca = own.ca ?? self.defaults.ca { account.caFile = try self.caFile(ca) }
        account.username = own.username ?? self.defaultUsername(of: row.login)
        return account
    }

    /// The user name that the option gives a login. The login takes its normalized form, as the
    /// address does in an account without a user name. The store refuses a login that has none.
    private func defaultUsername(of login: String) -> String? {
        let normalized = (try? PermissionStore.address(login))?.description
        return self.username?.text(for: normalized ?? login)
    }

    private static func server(
        _ text: String,
        security: Endpoint.Security,
        port: Int
    ) throws(Failure) -> Endpoint {
        do {
            return try Endpoint.argument(text, security: security, port: port)
        } catch {
            throw (error as? Failure) ?? Failure("\(error)")
        }
    }

    private mutating func caFile(_ file: String) throws(Failure) -> String {
        if let known = self.caFiles[file] { return try known.get() }
        let result = Self.checked(caFile: file)
        self.caFiles[file] = result
        return try result.get()
    }

    private static func checked(caFile file: String) -> Result<String, Failure> {
        do {
            // The gateway's user reads this file, and it decides which servers are trusted.
            if Actor.current.isBySudo { try TrustedPath.certificates.require(file) }
        } catch {
            return .failure((error as? Failure) ?? Failure("\(error)"))
        }
        guard FileManager.default.isReadableFile(atPath: file) else {
            return .failure(Failure("cannot read \(file): check its path and its permissions"))
        }
        return .success(URL(fileURLWithPath: file).path)
    }
}
