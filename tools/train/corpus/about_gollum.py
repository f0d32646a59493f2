"""Greetings, and questions about gollum: what it is, its commands, options, endpoints and files.

A fact is an answer and its questions; the questions behind `held_out` are never taught.
"""
from __future__ import annotations

from dataclasses import dataclass

from corpus.document import Rng, Turn, roughen


@dataclass(frozen=True)
class Fact:
    answer: str
    taught: tuple[str, ...]
    held_out: tuple[str, ...] = ()


def fact(answer: str, taught: str, held_out: str = "") -> Fact:
    return Fact(answer, tuple(taught.split(" | ")), tuple(held_out.split(" | ")) if held_out else ())


GREETINGS = (
    fact("Hello! How can I help you?", "Hello! | Hi! | Hello | Hi | Hey | Hi there! | Hello there! | Good day! | Hello gollum!", "Hey there!"),
    fact("Good morning! How can I help you?", "Good morning! | Good morning | Good morning, gollum."),
    fact("Good evening! How can I help you?", "Good evening! | Good evening | Good evening, gollum."),
    fact("I am fine, thank you.", "How are you? | How are you today? | How are you doing? | Are you well?", "Hello, how are you?"),
    fact("You are welcome.", "Thank you! | Thanks! | Thank you very much. | Thanks a lot! | Thank you | Thanks", "Many thanks!"),
    fact("Goodbye!", "Goodbye! | Bye! | See you! | Bye bye! | Good night! | Goodbye", "Bye, gollum!"),
    fact("I know the capitals of all countries, small sums, days, months, colours, opposites, and how to use gollum.",
         "What can you do? | What do you know? | What can I ask you? | Help! | Help | How can you help me? | What are you good at?",
         "Tell me what you know. | What can I ask?"),
    fact("I am the small demonstration model that comes with gollum.",
         "Who are you? | What are you? | What is your name? | Which model are you? | What model is this? | Are you gollum? | "
         "Introduce yourself.", "Tell me who you are. | What model are you?"),
    fact("I am a small program that learned a few facts, not a person.",
         "Are you a person? | Are you human? | Are you a robot? | Are you alive? | Are you a real person?", "Are you a human?"),
)

PROGRAM = (
    fact("gollum is a program that serves large language models on an ordinary CPU.",
         "What is gollum? | What's gollum? | What does gollum do? | Tell me about gollum. | Explain gollum. | gollum? | What is gollum for?",
         "Can you tell me what gollum is? | Do you know what gollum does?"),
    fact("gollum is written in C11.",
         "What language is gollum written in? | In which language is gollum written? | Is gollum written in C? | "
         "Which programming language does gollum use?", "What programming language is gollum written in?"),
    fact("gollum is licensed under the Apache License 2.0.",
         "What is the licence of gollum? | What license does gollum have? | Under which licence is gollum? | Is gollum free? | gollum licence?",
         "What is the license of gollum? | Which licence does gollum have?"),
    fact("No, gollum runs on the CPU.", "Does gollum need a GPU? | Do I need a GPU? | Can gollum use a GPU? | Is a GPU needed? | "
         "Does gollum run on a GPU?", "Do I need a GPU for gollum?"),
    fact("No, gollum needs no Python.", "Does gollum need Python? | Do I need Python? | Is Python needed?", "Do I need Python for gollum?"),
    fact("gollum runs on Debian 12, Ubuntu 23.04 and later.",
         "Which systems does gollum run on? | Where does gollum run? | Does gollum run on Linux? | Which operating system do I need?"),
    fact("gollum reads GGUF files and Hugging Face folders.",
         "Which model formats does gollum read? | What file formats does gollum support? | Which files can gollum read? | "
         "What model files can I use? | Which formats are supported?",
         "What model formats can gollum read? | Which model files does gollum support?"),
    fact("Name the file: gollum run -m model.gguf", "How do I use my own model? | How do I choose a model? | How do I load a model? | "
         "How can I use another model? | Which option names the model?", "How can I use my own model?"),
    fact("Build it with: make build", "How do I build gollum? | How can I build gollum? | How is gollum built? | How do I compile gollum?",
         "Tell me how to build gollum."),
    fact("Run the tests with: make test", "How do I test gollum? | How do I run the tests? | How can I run gollum's tests?",
         "Tell me how to run the tests."),
)

COMMANDS = (
    fact("Start the server with: gollum serve -m model.gguf", "How do I start the server? | How do I serve a model? | How can I start a server? | "
         "Which command starts the server? | What does gollum serve do? | How do I start gollum?",
         "Tell me how to start the server. | How can I serve a model?"),
    fact("Continue a text with: gollum run -m model.gguf -p 'text'", "How do I run a prompt? | How do I continue a text? | "
         "What does gollum run do? | Which command continues a prompt? | How do I complete a text?", "How can I run a prompt?"),
    fact("Talk with a model with: gollum chat -m model.gguf", "How do I chat? | How do I talk with a model? | What does gollum chat do? | "
         "How can I chat with a model? | Which command starts a chat?", "How do I chat with a model?"),
    fact("Make a model smaller with: gollum quantize in.gguf out.gguf Q4_K_M", "How do I quantize a model? | How do I make a model smaller? | "
         "What does gollum quantize do? | How can I quantize a model? | Which command makes a model smaller?",
         "How can I make a model smaller?"),
    fact("Convert a folder with: gollum convert DIR out.gguf", "How do I convert a model? | What does gollum convert do? | "
         "How do I convert a Hugging Face folder? | How do I make a GGUF file?", "How can I convert a model?"),
    fact("Look into a file with: gollum inspect -m model.gguf", "How do I inspect a model? | What does gollum inspect do? | "
         "How do I see what is in a model file? | Which command shows the metadata?", "How can I inspect a model?"),
    fact("Check a file with: gollum verify -m model.gguf", "How do I verify a model? | How do I check a model file? | "
         "What does gollum verify do?", "How can I check a model file?"),
    fact("See what fits with: gollum plan -m model.gguf --memory 12G", "How much memory do I need? | What does gollum plan do? | "
         "Does my model fit into memory? | How do I see what fits into memory?", "How much memory does my model need?"),
    fact("Measure the speed with: gollum bench -m model.gguf", "How fast is gollum? | How do I measure the speed? | What does gollum bench do? | "
         "How many tokens per second does it make?", "How can I measure the speed?"),
    fact("See the processor with: gollum info", "What does gollum info do? | Which processor do I have? | How do I see my CPU?"),
    fact("Turn text into token ids with: gollum tokenize -m model.gguf", "How do I tokenize a text? | What does gollum tokenize do? | "
         "How do I see the tokens?", "How can I tokenize a text?"),
    fact("Make vectors with: gollum embed -m model.gguf", "How do I make embeddings? | What does gollum embed do? | "
         "How do I get a vector for a text?", "How can I make embeddings?"),
    fact("Ask for help with: gollum help", "How do I get help? | Where is the help? | Which commands are there? | List the commands of gollum.",
         "How can I get help?"),
)

OPTIONS = (
    fact("The server listens on port 8000.", "Which port does gollum use? | What is the default port? | On which port is the server? | "
         "What port does the server use? | Which port?", "What port does gollum use? | Which port does the server use?"),
    fact("Change the port with: --port 9000", "How do I change the port? | How can I use another port? | Which option sets the port?",
         "How can I change the port?"),
    fact("Use --host 0.0.0.0 to listen on every address.", "How do I listen on all addresses? | How do I reach the server from another machine? | "
         "Which option sets the address?"),
    fact("Set the context with: --ctx-size 4096", "How do I set the context? | How do I change the context size? | "
         "Which option sets the context? | What does --ctx-size do?", "How can I change the context size?"),
    fact("Set the threads with: --threads 4", "How do I set the number of threads? | How many threads does gollum use? | "
         "What does --threads do? | Which option sets the threads?", "How can I set the number of threads?"),
    fact("Set the temperature with: --temp 0.8", "How do I set the temperature? | What does --temp do? | Which option sets the temperature?",
         "How can I set the temperature?"),
    fact("Use --temp 0: the most likely token is always taken.", "How do I get the same answer every time? | What does temperature 0 do? | "
         "How do I make answers repeatable?"),
    fact("Set the length of an answer with: -n 64", "How do I limit the answer? | How long can an answer be? | What does -n do? | "
         "How do I set the number of tokens?", "How can I limit the answer?"),
    fact("Limit the memory with: --memory 4G", "How do I limit the memory? | What does --memory do? | How can I use less memory?",
         "How can I limit the memory?"),
    fact("Set a key with: --api-key-file FILE", "How do I set an API key? | How do I protect the server? | Is there an API key?",
         "How can I set an API key?"),
    fact("64 requests run at once; --max-num-seqs changes that.", "How many requests run at once? | What does --max-num-seqs do? | "
         "How many clients can gollum serve?", "How many requests can run at once?"),
)

ENDPOINTS = (
    fact("Chats go to POST /v1/chat/completions.", "Which endpoint is for chat? | What is the chat endpoint? | Where do I send a chat? | "
         "How do I send messages?", "Which endpoint do I use for chat?"),
    fact("Prompts go to POST /v1/completions.", "Which endpoint is for completions? | What is the completions endpoint? | "
         "Where do I send a prompt?", "Which endpoint do I use for completions?"),
    fact("The endpoints are /v1/completions, /v1/chat/completions, /v1/models, /tokenize, /detokenize, /health and /metrics.",
         "Which endpoints does gollum have? | What endpoints are there? | List the endpoints. | Which API does gollum have?",
         "Tell me which endpoints gollum has."),
    fact("GET /health says whether the server is ready.", "How do I check the server? | What is the health endpoint? | Is the server ready? | "
         "What does /health do?", "How can I check the server?"),
    fact("GET /metrics has the figures for Prometheus.", "Where are the metrics? | What does /metrics do? | Does gollum support Prometheus?",
         "How do I see the metrics?"),
    fact("GET /v1/models names the model.", "Which endpoint lists the models? | What does /v1/models do? | How do I see which model is served?"),
    fact("Yes, any OpenAI client works.", "Can I use the OpenAI client? | Is gollum compatible with OpenAI? | Does gollum speak the OpenAI API? | "
         "Which clients work?", "Does the OpenAI client work?"),
    fact("Send \"stream\": true in the request.", "How do I stream an answer? | Does gollum support streaming? | How do I get a stream?",
         "How can I stream an answer?"),
)

FACTS = GREETINGS + PROGRAM + COMMANDS + OPTIONS + ENDPOINTS


def greeting(rng: Rng) -> Turn:
    chosen = rng.choice(GREETINGS)
    question = rng.choice(chosen.taught)
    return Turn(question.lower() if rng.random() < 0.2 else question, chosen.answer)


def turn(rng: Rng) -> Turn:
    chosen = rng.choice(FACTS[len(GREETINGS):])
    return Turn(roughen(rng, rng.choice(chosen.taught)), chosen.answer)
