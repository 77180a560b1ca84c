extension SubmissionReply {
    /// Code, enhanced code and text of a reply without parameters.
    var fixed: StaticString {
        switch self {
        case .greeting: "220 Gatepost ESMTP"
        case .bye: "221 2.0.0 Bye"
        case .ok: "250 2.0.0 Ok"
        case .beginTLS: "220 2.0.0 Begin TLS negotiation now"
        case .challenge: "334 "
        case .nameChallenge: "334 VXNlcm5hbWU6"
        case .passwordChallenge: "334 UGFzc3dvcmQ6"
        case .authenticated: "235 2.7.0 Logged in"
        case .canceled: "501 5.7.0 Canceled"
        case .senderAccepted: "250 2.1.0 Sender accepted"
        case .recipientAccepted: "250 2.1.5 Recipient accepted"
        case .startMessage: "354 End the message with a dot on a line of its own"
        case .chunkReceived: "250 2.0.0 Chunk received"
        case .cannotVerify: "252 2.5.0 Send a message and see"
        case .hello, .tokenChallenge, .upstream, .repeatedField, .malformedAddress: ""
        case .notPermitted(let refused): refused.text
        case .unavailable: "451 4.3.0 The mail server broke off; nothing was sent, try again"
        case .unconfirmed:
            """
            451 4.3.0 The mail server broke off before it answered; look whether the message \
            arrived before you send it again
            """
        case .upstreamUnreachable:
            "451 4.4.1 The mail server of this sender cannot be reached now, try again"
        case .upstreamRefusedLogin:
            "451 4.7.8 The mail server of this sender refuses the gateway; tell the administrator"
        case .credentialSuspended:
            """
            454 4.7.0 The mail server of this sender refused the gateway's login; it is tried \
            again later
            """
        case .serverUnanswering:
            """
            454 4.7.0 The mail server of this sender did not answer the gateway's login; it is \
            tried again in a moment
            """
        case .tooManyConnectionsOfUser:
            "454 4.7.0 Too many connections of this user; close some, or try again later"
        case .authenticationUnavailable: "454 4.7.0 Passwords cannot be checked now, try again"
        case .noRoomForCopy:
            "452 4.3.1 No room for the copy in Sent; nothing was sent, try again later"
        case .tooManyRecipients:
            "452 4.5.3 Too many recipients for one message; send it in parts"
        case .tooManyMessages: "450 4.7.1 Too many messages in this hour; try again later"
        case .tooManyRecipientsPerHour:
            "450 4.7.1 Too many recipients in this hour; try again later"
        case .closing: "421 4.3.2 Shutting down, come back soon"
        case .tooManyConnections: "421 4.3.2 Too many connections: come back later"
        case .endedByAdministrator: "421 4.7.0 An administrator has ended this session"
        case .loginEnded:
            "421 4.7.0 The password or token of this session is not valid now: log in again"
        case .tooManyErrors: "421 4.7.0 Too many errors"
        case .loginTooLong: "421 4.4.2 Login took too long"
        case .idleTooLong: "421 4.4.2 Idle or too slow for too long"
        default: self.permanent
        }
    }

    private var permanent: StaticString {
        switch self {
        case .unknownCommand: "500 5.5.2 Unknown command"
        case .lineTooLong: "500 5.5.2 Line too long"
        case .malformedArguments: "501 5.5.4 Syntax error in the arguments"
        case .unserved: "502 5.5.1 Not served here"
        case .badSequence: "503 5.5.1 Not in this order"
        case .noSender: "503 5.5.1 MAIL first"
        case .noRecipients: "554 5.5.1 No recipient was accepted"
        case .mustStartTLS: "530 5.7.0 STARTTLS first"
        case .mustAuthenticate: "530 5.7.0 Log in first"
        case .alreadyAuthenticated: "503 5.5.1 Logged in already"
        case .unknownMechanism: "504 5.5.4 Use a mechanism that EHLO announces"
        case .malformedBase64: "501 5.5.2 Cannot be read as base64"
        case .authenticationFailed: "535 5.7.8 Login failed"
        case .malformedPath: "501 5.1.7 Not an address: user@domain in angle brackets"
        case .unknownParameter: "555 5.5.4 Parameter is not supported"
        case .noDSN: "555 5.5.4 The mail server of this sender cannot notify of delivery"
        case .noInternational:
            "550 5.6.7 The mail server of this sender takes no addresses outside ASCII"
        case .noEightBit:
            "554 5.6.3 The mail server of this sender takes no 8-bit messages; encode it"
        case .tooLarge: "552 5.3.4 The message is too large"
        case .bareLineEnd:
            "550 5.6.0 Every line must end with CR LF; a bare CR, LF or NUL is not sent on"
        case .unfinishedLine: "550 5.6.0 The message must end with CR LF"
        case .headerTooLarge: "552 5.3.4 The header of the message is too large"
        case .malformedHeader:
            "550 5.6.0 The header has a line that is neither a field nor its continuation"
        case .missingFrom: "550 5.6.0 The header has no From field"
        case .noSendingServer:
            "550 5.7.1 No server for sending is set for this sender; tell the administrator"
        default: "451 4.3.0 Not possible now"
        }
    }
}

extension SubmissionReply.Refused {
    fileprivate var text: StaticString {
        switch self {
        case .reversePath: "550 5.7.1 You may not send as this sender"
        case .from: "550 5.7.1 You may not send as an address in From"
        case .sender: "550 5.7.1 You may not send with this Sender"
        case .senderRequired: "550 5.7.1 More than one address in From needs a Sender"
        case .resent: "550 5.7.1 You may not resend as this address"
        case .noRoute: "550 5.7.1 The addresses in From name no single way out"
        case .noOwnAddress:
            "550 5.7.1 Sending on behalf needs an address of your own; ask for an account that you own"
        }
    }
}

extension AddressFault {
    /// The problem of a field, to follow its name.
    var text: String {
        switch self {
        case .malformed:
            "cannot be read in one way only: write plain addresses, each with a name at most"
        case .notEncoded: "has characters outside ASCII that are not encoded (RFC 2047)"
        case .notUTF8: "has octets that are not UTF-8"
        case .longLine: "has a line of more than 998 octets"
        case .encodedWord:
            "has an encoded word that is not the exact encoding of its text (RFC 2047)"
        case .charset: "has an encoded word that programs read in different ways: use UTF-8"
        case .control: "has a line separator or a control character in a name: leave it out"
        case .direction:
            "has a character in a name that changes the direction of text: leave it out"
        case .invisible: "has an invisible character in a name: leave it out"
        case .unassigned: "has a private-use or unassigned character in a name: leave it out"
        case .padding: "has too many blanks in a name: write one between two words"
        case .angleBracket:
            "has an angle bracket in a name that is not around its own address: leave it out"
        case .atSign: "has a wide at sign in a name: write @, or encode the name in UTF-8"
        case .foreignAddress:
            "has a name that reads as an address of somebody else: leave out the @, or a dot behind it"
        }
    }
}
