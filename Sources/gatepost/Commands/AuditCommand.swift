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
        subcommands: [List.self, Verify.self, Seal.self, Delete.self]
    )

    /// `gatepost audit verify`: exit status 1 if a record was changed or is missing.
    ///
    /// Each record has a SHA-256 hash over itself and the hash of the record before. A seal
    /// authenticates one record's hash, and thus all records up to it. `--json` prints:
    /// `{"records":5,"first":1,"last":5,"sealed":0,"sealedAt":1796011062,"problems":[],`
    /// `"further":0}`. With several nodes, it also prints `"nodes":[…]`, with these keys and `node`
    /// for each; the numbers of records and problems beside it are sums.
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check that no record was changed, removed, reordered or cut off."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Option(
            help: """
                Also compare with this seal, as the gateway logged it: SEQUENCE:HASH, or \
                NODE:SEQUENCE:HASH. Repeat it for each node.
                """
        )
        var seal: [String] = []

        /// The result of the check: the JSON document of `audit verify --json`.
        struct Row: Encodable {
            /// The node; nil for the log as a whole.
            var node: String?
            /// The number of records that are present.
            var records: Int
            /// The sequence numbers of the first and the last record. These and the next ones are nil
            /// for the log of several nodes as a whole.
            var first: Int64?
            var last: Int64?
            /// The last record that a seal covers, and the seal's time in seconds since 1970.
            var sealed: Int64?
            var sealedAt: Int64?
            /// The first problems, a sentence each.
            var problems: [String]
            /// The number of problems that are not listed.
            var further: Int
            /// The logs of the nodes; nil unless there are several.
            var nodes: [Row]?

            init(_ found: AuditVerification) {
                self.records = found.count
                self.problems = found.problems
                self.further = found.further
                if let only = found.only {
                    self = Row(only)
                    self.node = nil
                } else {
                    self.nodes = found.chains.map(Row.init)
                }
            }

            private init(_ chain: AuditVerification.Chain) {
                self.node = chain.node
                self.records = chain.count
                self.first = chain.first
                self.last = chain.last
                self.sealed = chain.sealed
                self.sealedAt = chain.sealedAt?.seconds
                self.problems = chain.problems
                self.further = chain.further
            }
        }

        func run() async throws {
            let (store, _) = try await self.configuration.openForChange()
            let configuration = try await self.configuration.load()
            let masterKey = try MasterKey(file: configuration.masterKey)
            let found = try ProgressLine.during("verifying the audit log") { progress in
                try store.verifyAudit(masterKey, anchors: self.seal, progress: progress.report)
            }
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
            for line in Self.lines(found) { Output.line(line) }
        }

        /// What is printed for an intact log.
        static func lines(_ found: AuditVerification) -> [String] {
            found.chains.flatMap { chain in
                let node = found.only == nil ? "\(chain.name): " : ""
                let range = chain.first.map { " (\($0) to \(chain.last ?? $0))" } ?? ""
                let records = "\(node)\(chain.count) records\(range), all intact"
                guard let sealed = chain.sealed, let moment = chain.sealedAt else {
                    return [records]
                }
                return [records, "\(node)sealed up to \(sealed), \(Output.date(moment.seconds))"]
            }
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
        @Option(
            help: "Seal the log of this node, which no gateway continues, instead of this one's."
        )
        var node: String?

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            let configuration = try await self.configuration.load()
            let masterKey = try MasterKey(file: configuration.masterKey)
            let log = self.node.map { "the audit log of node \($0)" } ?? "the audit log"
            try self.confirmation.confirm("Accept \(log) in its current state")
            // The seal of this node covers the record, so it follows the record.
            if let node = self.node { try store.sealAudit(masterKey, node: node, begins: true) }
            var record = AuditRecord(event: "change", actor: actor, from: "command line")
            let option = self.node.map { " --node \($0)" } ?? ""
            record.detail = ["audit seal\(option): the log was accepted in its current state"]
            try store.audit([(.current, record)])
            if self.node == nil { try store.sealAudit(masterKey, begins: true) }
        }
    }

    /// `gatepost audit delete`: requires the role `administrator`.
    ///
    /// It does what the gateway of the node does every hour, for a node without one.
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove the old records of a node that has no gateway any more.",
            discussion: "auditDays in gatepost.yaml says which records are old."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption
        @Option(help: "The node, as audit verify names it.") var node: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            let configuration = try await self.configuration.load()
            guard let days = configuration.oversight.auditDays else {
                throw Failure("auditDays in gatepost.yaml keeps all records: set a number of days")
            }
            try self.confirmation.confirm(
                "Delete the records of node \(self.node) that are older than \(days) days"
            )
            let seconds = Int64(Date().timeIntervalSince1970) - Int64(days) * 86_400
            let count = try store.deleteAudit(
                before: Moment(seconds: seconds),
                masterKey: MasterKey(file: configuration.masterKey),
                node: self.node,
                actor: actor
            )
            print("\(count) records deleted")
        }
    }
}
