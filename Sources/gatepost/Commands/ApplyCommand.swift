import Access
import ArgumentParser
import Foundation
import Gateway
import Store

/// `gatepost apply FILE`
struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Make the store equal to a document, for every part that the document has."
    )

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var confirmation: YesOption
    @Argument(help: "- for standard input.") var file: String
    @Flag(help: "Print the changes only.") var dryRun = false

    func run() async throws {
        let (store, actor) = try await self.configuration.openForChange(.administrator)
        let octets = try InputFile.contents(self.file)
        let document: ModelDocument
        do {
            document = try JSONDecoder().decode(ModelDocument.self, from: octets)
        } catch let error as DecodingError {
            throw Failure("\(self.file) is no such document: \(Self.explained(error))")
        }
        try Self.checkKeys(octets, file: self.file)
        let consent = try await self.configuration.load().oversight.consent
        let planned = try store.apply(document, dryRun: true, consent: consent, actor: actor)
        for line in planned.removed { Output.line("- \(line)") }
        for line in planned.added { Output.line("+ \(line)") }
        guard !planned.isEmpty else { return print("nothing to change") }
        // Over a wall a grant counts for nothing, and looks as if it did.
        let barred = Set((document.walls ?? []).map { ExactText($0.account) })
        let granted = Set((document.grants ?? []).map { ExactText($0.account) })
        for account in granted.intersection(barred).sorted() {
            print("note: a wall stands before \(account); grants to whom it bars count for nothing")
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

    /// The keys of a document, by where they stand.
    private static let keys: [String: Set<String>] = [
        "": ["users", "groups", "accounts", "grants", "withdrawals", "walls"],
        ".users": ["login", "name", "role", "disabled", "osUser"],
        ".groups": ["name", "members"],
        ".accounts": [
            "address", "kind", "owner", "aliases", "imap", "smtp", "sentCopy", "username", "caFile",
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

    /// What this version does not know must not look as if it had been applied: with a misspelt
    /// `scope` a grant would be one of the whole account.
    private static func checkKeys(_ octets: Data, file: String) throws {
        func check(_ value: Any, place: String) throws {
            if let values = value as? [Any] {
                for value in values { try check(value, place: place) }
            } else if let object = value as? [String: Any] {
                for (key, value) in object.sorted(by: { $0.key < $1.key }) {
                    guard Self.keys[place]?.contains(key) ?? false else {
                        let name = "\(place).\(key)".dropFirst()
                        throw Failure(
                            "\(file): \(Output.printable(name)) cannot be applied by this version; "
                                + "take it out, or look at how it is spelt"
                        )
                    }
                    try check(value, place: "\(place).\(key)")
                }
            }
        }
        try check(JSONSerialization.jsonObject(with: octets), place: "")
    }

    private static func explained(_ error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            return "\(place(context.codingPath)) has no \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "\(place(context.codingPath)) is of the wrong type"
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty
                ? "not JSON" : "\(place(context.codingPath)) is wrong: \(context.debugDescription)"
        @unknown default:
            return "\(error)"
        }
    }
}
