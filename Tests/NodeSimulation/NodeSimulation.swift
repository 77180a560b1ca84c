import Access
import Foundation
import Store
import Support

/// Many nodes on one database of PostgreSQL, in one process and without clients. Grants are given
/// and withdrawn at a rate; the costs and the delays are printed.
struct NodeSimulation {
    /// Sizes.
    struct Sizes {
        var nodes = 64
        /// Users, with one account each and ten grants on each account.
        var users = 1_000
        var changes = 500
        /// Changes in a second.
        var rate = 10.0
    }

    /// A change that was answered.
    private struct Change {
        var revision: Int64
        var pair: Int
        var isOpen: Bool
        var committed: ContinuousClock.Instant
    }

    /// The time in which a withdrawn right must be gone on every node.
    private static let limit = Duration.seconds(1)
    /// The users and accounts whose grants change.
    private static let pairs = 20
    /// How long the costs without changes are measured.
    private static let rest = Duration.seconds(5)

    private let sizes: Sizes
    private let cluster: PostgreSQLCluster
    private let port: UInt16
    private let folder: TemporaryFolder
    private let masterKey = MasterKey()
    private let pairs: [Pair]
    private let editor: PermissionStore
    private let nodes: [SimulatedNode]

    /// Starts a server, fills the database and opens the nodes.
    init(_ sizes: Sizes) throws {
        self.sizes = sizes
        self.port = try FreePort.find()
        self.cluster = try PostgreSQLCluster(port: self.port)
        self.folder = try TemporaryFolder()
        let url = try self.cluster.database()
        let folder = self.folder.url.path
        func server(_ node: String) -> PostgreSQLServer {
            PostgreSQLServer(url: url, node: node, state: folder)
        }
        self.editor = try PermissionStore(.postgreSQL(server("editor")))
        try Fill.run(self.cluster, database: PostgreSQLCluster.name(of: url), users: sizes.users)
        let snapshot = try self.editor.load().access
        let pairs = Array(
            (1...Int64(sizes.users)).lazy
                .map { Pair(user: $0, account: Int64(sizes.users) + 1 - $0) }
                .filter { !$0.isOpen(in: snapshot) }.prefix(Self.pairs)
        )
        self.pairs = pairs
        self.nodes = try (1...sizes.nodes).map {
            try SimulatedNode(server("node\($0)"), pairs: pairs)
        }
    }

    /// Runs, and prints the figures.
    /// - Throws: ``SimulationFailure`` if a node has another state at the end, or kept a
    ///   right for too long.
    func run() throws {
        for node in self.nodes { node.follow(self.masterKey) }
        Thread.sleep(forTimeInterval: 2)
        let start = self.costs
        Thread.sleep(forTimeInterval: Self.rest / .seconds(1))
        let idle = Report.Rate(from: start, to: self.costs)
        let before = self.costs
        let (changes, editing) = try self.change()
        Thread.sleep(forTimeInterval: 2)
        let report = Report(
            sizes: self.sizes,
            idle: idle,
            before: before,
            after: self.costs,
            editing: editing
        )
        report.printCosts()
        try self.requireOneState()
        try self.requireDelays(changes)
    }

    private var costs: Costs { Costs(server: self.cluster.serverProcess, port: self.port) }

    /// Gives and withdraws grants.
    /// - Returns: The changes, and the processor time of the thread that made them.
    private func change() throws -> ([Change], Double) {
        var changes: [Change] = []
        var isOpen = self.pairs.map { _ in false }
        let used = Costs.processorTime(CLOCK_THREAD_CPUTIME_ID)
        var due = ContinuousClock.now
        for number in 0..<self.sizes.changes {
            let index = number % self.pairs.count
            let (account, user) = (
                Pair.name(self.pairs[index].account), Pair.name(self.pairs[index].user)
            )
            if isOpen[index] {
                _ = try self.editor.removeGrants(
                    account: account,
                    subject: user,
                    view: true,
                    send: true,
                    actor: "simulation"
                )
            } else {
                let request = GrantRequest(
                    account: account,
                    subject: user,
                    rights: .view,
                    send: .none
                )
                _ = try self.editor.addGrant(request, actor: "simulation")
            }
            let committed = ContinuousClock.now
            isOpen[index].toggle()
            changes.append(
                Change(
                    revision: try self.editor.revision(),
                    pair: index,
                    isOpen: isOpen[index],
                    committed: committed
                )
            )
            due += .seconds(1) / self.sizes.rate
            Thread.sleep(forTimeInterval: max(0, (due - .now) / .seconds(1)))
        }
        return (changes, Costs.processorTime(CLOCK_THREAD_CPUTIME_ID) - used)
    }

    // MARK: - What must hold

    private func requireOneState() throws {
        let expected = Decisions(try self.editor.load().access)
        for (number, node) in self.nodes.enumerated() {
            guard Decisions(node.snapshot.access) == expected else {
                throw SimulationFailure("node \(number + 1) has another state")
            }
        }
        print("all \(self.nodes.count) nodes have the state of the database")
    }

    /// Prints the delays.
    private func requireDelays(_ changes: [Change]) throws {
        let arrivals = self.nodes.map(\.arrivals)
        var (each, all, kept): ([Duration], [Duration], Duration) = ([], [], .zero)
        for change in changes {
            var last = Duration.zero
            for (node, arrivals) in arrivals.enumerated() {
                guard let first = arrivals.first(where: { $0.revision >= change.revision }) else {
                    throw SimulationFailure(
                        "node \(node + 1) never had revision \(change.revision)"
                    )
                }
                guard
                    first.revision > change.revision || first.verdicts[change.pair] == change.isOpen
                else {
                    throw SimulationFailure(
                        "node \(node + 1) decides wrongly in \(change.revision)"
                    )
                }
                let delay = first.time - change.committed
                each.append(delay)
                last = max(last, delay)
                if !change.isOpen { kept = max(kept, delay) }
            }
            all.append(last)
        }
        let closings = self.nodes.reduce(0) { $0 + $1.closings }
        print("in force on a node:        \(Report.percentiles(each))")
        print("in force on all nodes:     \(Report.percentiles(all))")
        print(
            "a withdrawn right was kept for \(Report.text(kept)) at most; nodes closed \(closings) times"
        )
        guard kept <= Self.limit else {
            throw SimulationFailure("a right was kept for \(kept)")
        }
    }
}

/// What did not hold, as text.
struct SimulationFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
