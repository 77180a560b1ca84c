/// Why a header field with addresses is refused; the octets are not repeated.
package enum AddressFault: Error, Equatable, Sendable {
    /// Not one or more plain addresses.
    case malformed
    /// Octets outside ASCII, without SMTPUTF8.
    case notEncoded
    case notUTF8
    /// A line that programs on the way may cut.
    case longLine
    /// Part of an encoded word, or one that is not the encoding of its octets.
    case encodedWord
    /// A charset that programs read in different ways, or octets that are none of it.
    case charset
    /// A line separator or another control character.
    case control
    /// A character that changes the direction of text.
    case direction
    case invisible
    /// A code point without a character: private use, unassigned, a noncharacter.
    case unassigned
    /// More blanks than a display name needs, which push what is behind them out of sight.
    case padding
    /// An angle bracket in a display name that is not around the mailbox's own address.
    case angleBracket
    /// An `@` of another width in a charset with two octets for one character.
    case atSign
    /// A display name that reads as an address that is not the user's own.
    case foreignAddress
}
