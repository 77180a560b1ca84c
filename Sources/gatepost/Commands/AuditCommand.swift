import Access
import ArgumentParser
import Foundation
import Gateway
import Store

/// `gatepost audit …`
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Look at what was opened, refused and changed, by whom.",
        subcommands: [List.self, Verify.self, Seal.self]
    )

    /// `gatepost audit list …`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what is in the audit log, oldest first."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Option var account: String?
        @Option(help: "Who acted: a login, or a name at the operating system.") var user: String?
        @Option(help: "YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SSZ.") var since: String?

        /// A record as it is printed, with its place in the log.
        struct Row: Encodable {
            var sequence: Int64
            /// Seconds since 1970.
            var when: Int64
            var record: AuditRecord

            /// What is added to a record.
            enum CodingKeys: CodingKey {
                case sequence
                case when
            }

            func encode(to encoder: any Encoder) throws {
                try self.record.encode(to: encoder)
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(self.sequence, forKey: .sequence)
                try container.encode(self.when, forKey: .when)
            }
        }

        func run() async throws {
            let (store, _) = try await self.configuration.openForChange()
            let entries = try store.auditEntries(
                account: self.account,
                user: self.user,
                since: try self.since.map { try Moment.argument($0, isEnd: false) }
            )
            if self.output.json {
                return try Output.json(
                    entries.map {
                        Row(sequence: $0.sequence, when: $0.moment.seconds, record: $0.record)
                    }
                )
            }
            Output.table(
                ["#", "WHEN", "WHO", "FROM", "WHAT", "OUTCOME", "WHERE", "BECAUSE"],
                rows: entries.map(AuditCommand.cells)
            )
        }
    }

    /// `gatepost audit verify …`
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Verify that the log is whole: nothing changed, missing, reordered or cut off."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Option(help: "SEQUENCE:HASH of a seal, as the gateway has logged it.") var seal: String?

        /// What was found, as it is printed.
        private struct Row: Encodable {
            var records: Int
            var first: Int64?
            var last: Int64?
            /// The last record that a seal covers, and when that was made, in seconds since 1970.
            var sealed: Int64?
            var sealedAt: Int64?
            var problems: [String]
            /// How many more there are.
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
                throw Failure("the audit log is not whole; restore it from a backup and compare")
            }
            guard !self.output.json else { return }
            let range = found.first.map { " (\($0) to \(found.last ?? $0))" } ?? ""
            print("\(found.count) records\(range), all as they were written")
            guard let sealed = found.sealed, let moment = found.sealedAt else { return }
            print("sealed up to \(sealed), \(Output.date(moment.seconds))")
        }
    }

    /// `gatepost audit seal …`
    struct Seal: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Seal a log that has no seal any more, as it is now."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            let configuration = try await self.configuration.load()
            try self.confirmation.confirm("Take the audit log as it is now for genuine")
            var record = AuditRecord(event: "change", actor: actor, from: "command line")
            record.detail = ["audit seal: the log was taken for genuine as it was"]
            try store.audit([(.current, record)])
            try store.sealAudit(MasterKey(file: configuration.masterKey), begins: true)
        }
    }

    private static func cells(_ entry: AuditEntry) -> [String] {
        let record = entry.record
        let source = [record.account, record.folder].compactMap { $0 }.joined(separator: " ")
        let target = [record.targetAccount, record.targetFolder].compactMap { $0 }
            .joined(separator: " ")
        let count = record.count.map { " (\($0))" } ?? ""
        let because = (record.because ?? []) + (record.detail ?? [])
        return [
            "\(entry.sequence)", Output.date(entry.moment.seconds), record.actor,
            record.from ?? "", record.event + count, record.outcome.rawValue,
            source + (target.isEmpty ? "" : " → \(target)"), because.joined(separator: "; "),
        ]
    }
}
