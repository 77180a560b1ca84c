import Access
import ArgumentParser
import Foundation
import Gateway
import Store

extension AuditCommand {
    /// `gatepost audit list`: requires the role `settings`.
    ///
    /// Records are printed as they are read, so memory does not grow with the log. Those of several
    /// nodes are merged by time.
    ///
    /// `--json` prints an array of ``Row``, one element a line:
    /// `{"sequence":1,"when":1796011062,"actor":"root","from":"command line","event":"change",`
    /// `"outcome":"allowed","detail":["user add anna@kanzlei.example"]}`. With several nodes, each
    /// has a key `node`. With `--follow`, which has no end, it prints these objects without an array.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List records: who opened, sent, was refused or changed what, and when."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Option(help: "Only list records about this account.") var account: String?
        @Option(help: "Only list actions of this login or operating-system user.") var user: String?
        @Option(help: "Only list records since YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ, in UTC.")
        var since: String?
        @Option(help: "Only list records up to this day, or before this time, in UTC.")
        var until: String?
        @Option(help: "Only list the newest records, this many.") var limit: Int?
        @Flag(help: "Continue with new records until the command is interrupted.")
        var follow = false

        /// The time between two looks for new records.
        private static let pause = Duration.milliseconds(500)

        /// One record: an element of the JSON array of `audit list --json`.
        struct Row: Encodable {
            /// The node that wrote the record; nil unless several nodes have a log.
            var node: String?
            /// The record's position in the log of the node.
            var sequence: Int64
            /// Seconds since 1970.
            var when: Int64
            /// The event. Its own keys are printed beside `sequence` and `when`.
            var record: AuditRecord

            /// The keys beside those of the record.
            enum CodingKeys: CodingKey {
                case node
                case sequence
                case when
            }

            func encode(to encoder: any Encoder) throws {
                try self.record.encode(to: encoder)
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encodeIfPresent(self.node, forKey: .node)
                try container.encode(self.sequence, forKey: .sequence)
                try container.encode(self.when, forKey: .when)
            }
        }

        func validate() throws {
            guard self.limit ?? 1 > 0 else {
                throw ValidationError("--limit is a number of records, at least 1")
            }
            guard !self.follow || self.until == nil else {
                throw ValidationError("--follow has no end: omit --until")
            }
        }

        func run() async throws {
            let (store, _) = try await self.configuration.openForChange()
            let filter = AuditFilter(
                account: self.account,
                user: self.user,
                since: try self.since.map { try Moment.argument($0, isEnd: false) },
                until: try self.until.map { try Moment.argument($0) }
            )
            var list = AuditOutput(isJSON: self.output.json, isEndless: self.follow)
            list.showsNodes = try store.auditNodes().count > 1
            var last = try store.readAudit(filter, limit: self.limit) { try list.print($0) }
            while self.follow {
                list.flush()
                try await Task.sleep(for: Self.pause)
                list.showsNodes = try store.auditNodes().count > 1
                last = try store.readAudit(filter, after: last) { try list.print($0) }
            }
            list.end()
        }
    }

    /// The columns of one record in the table of `audit list`.
    static func cells(_ entry: AuditEntry) -> [String] {
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

/// The output of `audit list`, one batch at a time.
struct AuditOutput {
    private static let header = [
        "#", "WHEN", "WHO", "FROM", "WHAT", "OUTCOME", "WHERE", "BECAUSE",
    ]

    /// Whether the node of each record is shown. A change begins another table.
    var showsNodes = false {
        didSet {
            guard self.showsNodes != oldValue else { return }
            self.widths = []
        }
    }
    private let isJSON: Bool
    /// Whether the objects stand alone, because an array would have no end.
    private let isEndless: Bool
    private let encoder = JSONEncoder()
    private var isFirst = true
    /// The widths of the columns so far. Columns become wider when a later batch needs it.
    private var widths: [Int] = []

    init(isJSON: Bool, isEndless: Bool) {
        self.isJSON = isJSON
        self.isEndless = isEndless
        self.encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    mutating func print(_ entries: [AuditEntry]) throws {
        guard self.isJSON else { return self.printTable(entries) }
        for entry in entries {
            let row = AuditCommand.List.Row(
                node: self.showsNodes ? entry.node : nil,
                sequence: entry.sequence,
                when: entry.moment.seconds,
                record: entry.record
            )
            let text = String(decoding: try self.encoder.encode(row), as: UTF8.self)
            let separator =
                self.isEndless ? (self.isFirst ? "" : "\n") : self.isFirst ? "[\n" : ",\n"
            Swift.print(separator + text, terminator: "")
            self.isFirst = false
        }
        if self.isEndless {
            Swift.print("")
            self.isFirst = true
        }
    }

    private mutating func printTable(_ entries: [AuditEntry]) {
        for line in self.lines(entries, width: Terminal.width) { Swift.print(line) }
        self.isFirst = false
    }

    /// The lines of a part of the table; the first part has a header.
    mutating func lines(_ entries: [AuditEntry], width: Int?) -> ArraySlice<String> {
        let isStart = self.widths.isEmpty
        let lines = Output.lines(
            (self.showsNodes ? ["NODE"] : []) + Self.header,
            rows: entries.map { (self.showsNodes ? [$0.node] : []) + AuditCommand.cells($0) },
            width: width,
            widths: &self.widths
        )
        return lines.dropFirst(isStart ? 0 : 1)
    }

    /// Prints what a list without records has, and ends the array.
    mutating func end() {
        if self.isJSON {
            Swift.print(self.isFirst ? "[]" : "\n]")
        } else if self.isFirst {
            self.printTable([])
        }
    }

    /// Passes on what was printed; a pipe would hold it back.
    func flush() { fflush(nil) }
}
