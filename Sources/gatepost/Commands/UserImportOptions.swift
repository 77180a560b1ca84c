import ArgumentParser
import Store

/// The settings of the accounts whose rows have none: options of `user import`.
struct UserImportOptions: ParsableArguments {
    @Option(help: "Set the IMAP server where a row has none, HOST[:PORT].") var imap: String?
    @Option(help: "Set the submission server where a row has none, HOST[:PORT].")
    var smtp: String?
    @Option(help: "Set how TLS starts where a row does not: implicit, starttls or none.")
    var tls: String?
    @Option(help: "Trust the authorities in this PEM file where a row has none.") var ca: String?
    @Option(help: "Set the user name where a row has none; {login} and {user} stand for a part.")
    var username: String?

    /// - Throws: `ValidationError` for an unknown value of `--tls`, and an unknown placeholder.
    func validate() throws {
        if let tls = self.tls, Endpoint.Security(rawValue: tls) == nil {
            throw ValidationError("--tls must be implicit, starttls or none")
        }
        if let username = self.username, UsernameTemplate(username) == nil {
            throw ValidationError("--username knows {login} and {user}, and no other brace")
        }
    }

    /// The values of the options.
    var account: UserImportAccount {
        UserImportAccount(
            imap: self.imap,
            smtp: self.smtp,
            tls: self.tls,
            ca: self.ca,
            username: self.username
        )
    }
}

/// A user name with placeholders: `{login}` for the login, `{user}` for its part before the last
/// `@`.
struct UsernameTemplate: Equatable, Sendable {
    private enum Piece: Equatable {
        case text(Substring)
        case login
        case user
    }

    private var pieces: [Piece] = []

    /// - Returns: nil for a brace that belongs to no placeholder.
    init?(_ text: String) {
        var rest = Substring(text)
        while let first = rest.first {
            if rest.hasPrefix("{login}") {
                self.pieces.append(.login)
                rest = rest.dropFirst("{login}".count)
            } else if rest.hasPrefix("{user}") {
                self.pieces.append(.user)
                rest = rest.dropFirst("{user}".count)
            } else {
                guard first != "{", first != "}" else { return nil }
                let end = rest.firstIndex { $0 == "{" || $0 == "}" } ?? rest.endIndex
                self.pieces.append(.text(rest[..<end]))
                rest = rest[end...]
            }
        }
    }

    /// The user name of a login. A brace in the login is no placeholder.
    func text(for login: String) -> String {
        let user = login.lastIndex(of: "@").map { login[..<$0] } ?? Substring(login)
        return self.pieces.map { piece in
            switch piece {
            case .text(let text): String(text)
            case .login: login
            case .user: String(user)
            }
        }.joined()
    }
}
