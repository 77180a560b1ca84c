/// The costs of a simulation, as text.
struct Report {
    /// Costs of a second.
    struct Rate {
        var nodes: Double
        var database: Double
        var octets: Double
        var seconds: Double

        init(from start: Costs, to end: Costs) {
            self.seconds = (end.time - start.time) / .seconds(1)
            self.nodes = (end.nodes - start.nodes) / self.seconds
            self.database = (end.database - start.database) / self.seconds
            self.octets = (end.octets - start.octets) / self.seconds
        }
    }

    var sizes: NodeSimulation.Sizes
    /// Without changes.
    var idle: Rate
    var before: Costs
    var after: Costs
    /// Processor time of the thread that made the changes, in seconds.
    var editing: Double

    func printCosts() {
        let busy = Rate(from: self.before, to: self.after)
        let (nodes, changes) = (Double(self.sizes.nodes), Double(self.sizes.changes))
        func each(_ path: KeyPath<Rate, Double>) -> Double {
            (busy[keyPath: path] - self.idle[keyPath: path]) * busy.seconds / changes
        }
        let processor = (each(\.nodes) - self.editing / changes) * 1_000
        print(
            """
            \(self.sizes.nodes) nodes, \(self.sizes.users) users, \(self.sizes.changes) changes, \
            \(Self.text(changes / (busy.seconds - 2))) a second; \(self.after.connections) connections
            without changes, each second:
              processor of a node      \(Self.text(self.idle.nodes * 1_000 / nodes)) ms
              processor of the server  \(Self.text(self.idle.database * 1_000)) ms
              octets of a node         \(Self.text(self.idle.octets / nodes))
            each change:
              processor of all nodes   \(Self.text(processor)) ms
              processor of a node      \(Self.text(processor / nodes)) ms
              processor of the edit    \(Self.text(self.editing / changes * 1_000)) ms
              processor of the server  \(Self.text(each(\.database) * 1_000)) ms
              octets of all nodes      \(Self.text(each(\.octets)))
              octets of a node         \(Self.text(each(\.octets) / nodes))
            """
        )
    }

    /// Three digits behind the point below 10, none above 100.
    static func text(_ value: Double) -> String {
        let factor = abs(value) < 10 ? 1_000.0 : abs(value) < 100 ? 10.0 : 1.0
        let rounded = (value * factor).rounded() / factor
        return factor == 1 ? "\(Int(rounded))" : "\(rounded)"
    }

    static func text(_ duration: Duration) -> String {
        "\(Int(duration / .milliseconds(1))) ms"
    }

    /// The median, the 99th percentile and the maximum.
    static func percentiles(_ durations: [Duration]) -> String {
        let sorted = durations.sorted()
        guard let last = sorted.last else { return "nothing" }
        let p99 = sorted[min(sorted.count * 99 / 100, sorted.count - 1)]
        return
            "p50 \(self.text(sorted[sorted.count / 2])), p99 \(self.text(p99)), longest \(self.text(last))"
    }
}
