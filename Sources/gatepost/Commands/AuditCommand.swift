import Access
import ArgumentParser
import Foundation
import Gateway
import Store

/// `gatepost audit VERB`: the log of accesses, refusals and changes.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Read, check and seal the audit log.",
        subcommands: [List.self, Verify.self, Seal.self]
    )

    /// `gatepost audit verify`: exit status 1 if a record was changed or is missing.
    ///
    /// Each record has a SHA-256 hash over itself and the hash of the record before. A seal
    /// authenticates one record's hash, and thus all records up to it. `--json` prints:
    /// `{"records":5,"first":1,"last":5,"sealed":0,"sealedAt":1796011062,"problems":[],`
    /// `"further":0}`.
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check that no record was changed, removed, reordered or cut off."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Option(help: "Also compare with this seal, SEQUENCE:HASH, as the gateway logged it.")
        var seal: String?

        /// The result of the check: the JSON document of `audit verify --json`.
        private struct Row: Encodable {
            /// The number of records that are present.
            var records: Int
            /// The sequence numbers of the first and the last record.
            var first: Int64?
            var last: Int64?
            /// The last record that a seal covers, and the seal's time in seconds since 1970.
            var sealed: Int64?
            var sealedAt: Int64?
            /// The first problems, a sentence each.
            var problems: [String]
            /// The number of problems that are not listed.
            var further: Int

            init(_ found: AuditVerification) {
                self.records = found.count
                self.first = found.first
                self.last = found.last
                self.sealed = found.sealed
                self.sealedAt = found.sealedAt?.seconds
                self.problems = found.problems
                self.further = found.further
            }
        }

        func run() async throws {
            let (store, _) = try await self.configuration.openForChange()
            let configuration = try await self.configuration.load()
            let found = try store.verifyAudit(
                MasterKey(file: configuration.masterKey),
                anchor: self.seal
            )
            if self.output.json {
                try Output.json(Row(found))
            } else {
                for problem in found.problems { Output.line(problem) }
                if found.further > 0 { print("and \(found.further) more") }
            }
            guard found.problems.isEmpty else {
                throw Failure("the audit log is not intact: restore a backup and compare")
            }
            guard !self.output.json else { return }
            let range = found.first.map { " (\($0) to \(found.last ?? $0))" } ?? ""
            print("\(found.count) records\(range), all intact")
            guard let sealed = found.sealed, let moment = found.sealedAt else { return }
            print("sealed up to \(sealed), \(Output.date(moment.seconds))")
        }
    }

    /// `gatepost audit seal`: requires the role `administrator`.
    ///
    /// The seal is a message authentication code with a key that is derived from the master key.
    /// The command itself is recorded in the audit log.
    struct Seal: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Seal a log that lost its seal, in its current state.",
            discussion: "The seal accepts the log in its current state: verify the log first."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            let configuration = try await self.configuration.load()
            try self.confirmation.confirm("Accept the audit log in its current state")
            var record = AuditRecord(event: "change", actor: actor, from: "command line")
            record.detail = ["audit seal: the log was accepted in its current state"]
            try store.audit([(.current, record)])
            try store.sealAudit(MasterKey(file: configuration.masterKey), begins: true)
        }
    }
}
