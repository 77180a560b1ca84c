/// What the result of one search may still add to the memory.
struct ResultAllowance {
    private var octets: Int
    private var values: Int
    private let limits: DirectoryLimits

    init(_ limits: DirectoryLimits) {
        self.octets = limits.resultOctets
        self.values = limits.resultValues
        self.limits = limits
    }

    /// Counts octets and values, before they are copied.
    /// - Throws: `failed`: a part of a result would look like all of it.
    mutating func take(octets: Int, values: Int = 0) throws(DirectoryError) {
        guard octets <= self.octets else {
            throw .failed(
                "the result of the directory has more than \(self.limits.resultOctets) octets"
            )
        }
        guard values <= self.values else {
            throw .failed(
                "the result of the directory has more than \(self.limits.resultValues) values"
            )
        }
        self.octets -= octets
        self.values -= values
    }
}
