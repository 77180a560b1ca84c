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
        // Both take a second for a million grants.
        async let known = Self.knownGrants(of: store)
        let document = try ProgressLine.during("reading the document") { _ in
            try self.decode(octets)
        }
        let grants = try await known
        let consent = try await self.configuration.load().oversight.consent
        let plan = try ProgressLine.during("reading the store") { progress in
            try store.plan(
                document,
                known: grants,
                consent: consent,
                actor: actor,
                progress: progress.report
            )
        }
        let planned = plan.changes
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
        try ProgressLine.during("writing the changes") { progress in
            try store.apply(plan, actor: actor, progress: progress.report)
        }
    }

    /// Reads the grants on another thread.
    @concurrent private static func knownGrants(
        of store: PermissionStore
    ) async throws -> KnownGrants {
        try store.knownGrants()
    }

    /// - Throws: ``Failure`` for octets that are no document, or have an unknown key.
    private func decode(_ octets: Data) throws -> ModelDocument {
        do throws(JSONError) { return try ModelDocument(json: octets) } catch {
            throw Failure("\(self.file) is not a valid document: \(Output.printable("\(error)"))")
        }
    }
}
