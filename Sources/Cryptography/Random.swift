/// Random octets from the operating system, for keys, nonces and salts (getrandom(2)).
package enum Random {
    /// - Parameter count: the number of octets.
    package static func octets(count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
