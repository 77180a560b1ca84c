import Access
import ArgumentParser
import Foundation
import Gateway
import Store

/// `gatepost apply FILE`: makes the store equal to a document of `gatepost export`.
///
/// It replaces each part (top-level key) that the document has, in one transaction, and does not
/// change the other parts. It requires the role `administrator`.
///
/// The document is a JSON object:
/// `{"users":[…],"groups":[…],"accounts":[…],"grants":[…],"withdrawals":[…],"walls":[…]}`. The
/// command prints the changes, one a line, with `-` for a removal and `+` for an addition. If the
/// store changes between this list and the confirmation, nothing is applied.
struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Make the store equal to a document of gatepost export.",
        discussion: """
            It replaces each top-level part that the document has, and does not change the other \
            parts. It prints the changes and asks before it makes them. Passwords and credentials of \
            existing users and accounts do not change.
            """
    )

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var confirmation: YesOption
    @Argument(help: "The document; - for standard input.") var file: String
    @Flag(help: "Only print the changes.") var dryRun = false

    func run() async throws {
        let (store, actor) = try await self.configuration.openForChange(.administrator)
        let octets = try InputFile.contents(self.file)
        let document: ModelDocument
        do {
            document = try JSONDecoder().decode(ModelDocument.self, from: octets)
        } catch let error as DecodingError {
            throw Failure("\(self.file) is not a valid document: \(Self.explained(error))")
        }
        try Self.checkKeys(octets, file: self.file)
        let consent = try await self.configuration.load().oversight.consent
        let planned = try store.apply(document, dryRun: true, consent: consent, actor: actor)
        for line in planned.removed { Output.line("- \(line)") }
        for line in planned.added { Output.line("+ \(line)") }
        guard !planned.isEmpty else { return print("nothing to change") }
        // A wall overrides a grant, which the list of changes does not show.
        let barred = Set((document.walls ?? []).map { ExactText($0.account) })
        let granted = Set((document.grants ?? []).map { ExactText($0.account) })
        for account in granted.intersection(barred).sorted() {
            print("note: a wall on \(account) overrides grants to the users it bars")
        }
        if self.dryRun { return }
        try self.confirmation.confirm(
            "Apply \(planned.removed.count) removals and \(planned.added.count) additions"
        )
        _ = try store.apply(
            document,
            dryRun: false,
            revision: planned.revision,
            consent: consent,
            actor: actor
        )
    }

    /// The keys that this version applies, by the path of the object that contains them.
    ///
    /// The path has no indices: `.accounts.imap` is the object `imap` of each account.
    private static let keys: [String: Set<String>] = [
        "": ["users", "groups", "accounts", "grants", "withdrawals", "walls"],
        ".users": ["login", "name", "role", "disabled", "osUser"],
        ".groups": ["name", "members"],
        ".accounts": [
            "address", "kind", "owner", "aliases", "imap", "smtp", "sentCopy",
            "sentCopyRequired", "username", "caFile",
        ],
        ".accounts.imap": ["host", "port", "tls"],
        ".accounts.smtp": ["host", "port", "tls"],
        ".grants": [
            "account", "subject", "rights", "send", "scope", "until", "source", "reason",
            "confirmed",
        ],
        ".grants.scope": ["folder", "subtree"],
        ".withdrawals": ["account", "subject", "view", "send"],
        ".walls": ["account", "subject", "reason"],
    ]

    /// Refuses a document with a key that this version does not know.
    ///
    /// Ignoring a key would be unsafe: with a misspelt `scope`, a grant on one folder would become
    /// a grant on the whole account.
    /// - Throws: ``Failure`` with the path of the first unknown key.
    private static func checkKeys(_ octets: Data, file: String) throws {
        func check(_ value: Any, place: String) throws {
            if let values = value as? [Any] {
                for value in values { try check(value, place: place) }
            } else if let object = value as? [String: Any] {
                for (key, value) in object.sorted(by: { $0.key < $1.key }) {
                    guard Self.keys[place]?.contains(key) ?? false else {
                        let name = "\(place).\(key)".dropFirst()
                        throw Failure(
                            "\(file): this version does not know the key \(Output.printable(name)); "
                                + "correct its spelling or remove it"
                        )
                    }
                    try check(value, place: "\(place).\(key)")
                }
            }
        }
        try check(JSONSerialization.jsonObject(with: octets), place: "")
    }

    /// Describes why the document cannot be decoded, with the path of the value.
    ///
    /// For example `accounts.[0].imap lacks the key host`.
    private static func explained(_ error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            return "\(place(context.codingPath)) lacks the key \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "\(place(context.codingPath)) has the wrong type"
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty
                ? "it is not JSON"
                : "\(place(context.codingPath)) is invalid: \(context.debugDescription)"
        @unknown default:
            return "\(error)"
        }
    }
}
