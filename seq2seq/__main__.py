"""`python -m seq2seq` is the command `seq2seq`."""

from seq2seq.cli.main import console

if __name__ == "__main__":
    console()
