/// A path through the gateway that is measured.
struct Path {
    /// Rounds that fill caches and tables before the first one that counts.
    private static let preparations = 20

    /// States the input, such as `imap-fetch-1-mib`.
    let name: String
    /// What one round is, such as a command.
    let unit: String
    /// Rounds of which the time is measured.
    let rounds: Int
    /// Rounds of which the instructions are counted: few, because each one executes the same.
    let countedRounds: Int
    /// Prepares a path, and returns what runs so many rounds of it.
    let prepare: () throws -> (Int, Meter) throws -> Void

    /// Runs the path, and prints the time of a round.
    func printTime() throws {
        let time = try self.run(self.rounds, with: Meter())
        print("\(self.name): \(Int64(time / .nanoseconds(1)) / Int64(self.rounds)) ns/\(self.unit)")
    }

    /// Runs the path with few rounds, and prints their number, for `.ci/counts`.
    func printRounds() throws {
        _ = try self.run(self.countedRounds, with: Meter())
        print("\(self.name) \(self.countedRounds) \(self.unit)")
    }

    private func run(_ rounds: Int, with meter: Meter) throws -> Duration {
        let run = try self.prepare()
        try run(Self.preparations, meter)
        meter.isCounting = true
        try run(rounds, meter)
        return meter.ended()
    }
}

/// A peer heard something else than it expected: what is measured would not be the path.
struct UnexpectedAnswer: Error, CustomStringConvertible {
    let description: String

    /// - Parameters:
    ///   - answer: the octets that the peer received.
    ///   - expected: how they should begin.
    init(_ answer: String, expected: String) {
        self.description = "\(answer.prefix(200).debugDescription) instead of \(expected)"
    }
}
